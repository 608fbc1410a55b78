"""What a name in a right stands for. One meaning, for tokens of the proxy and claims of the intake alike."""


def stands_for(stated: str, name: str) -> bool:
    """`nightly-*` is whatever begins so, `*` is anything, and what does not end with a star is itself.

    Example:
        >>> stands_for("nightly-*", "nightly-7"), stands_for("nightly-*", "other"), stands_for("[ab]", "a")
        (True, False, False)
    """
    return name.startswith(stated[:-1]) if stated.endswith("*") else name == stated
