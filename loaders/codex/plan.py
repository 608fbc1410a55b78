"""Whether a call was covered by a ChatGPT plan, as far as the limits that were written beside it prove it.

Limits are known only where somebody is logged in with ChatGPT. Within the limits of a personal plan a call costs
nothing more. Beyond them it takes credits, and the plans of organisations may be metered from the first token on: what
such a call costs is for the price book.
"""

from decimal import Decimal

from loaders.openclaw.values import Object, object_in, text

_FLAT = frozenset({"free", "go", "plus", "pro", "prolite"})
_WINDOWS = ("primary", "secondary")


def is_covered(limits: Object | None) -> bool:
    if limits is None:
        return False
    plan = text(limits, "plan_type")
    windows = [window for name in _WINDOWS if (window := object_in(limits, name))]
    return plan is not None and plan.lower() in _FLAT and bool(windows) and all(map(_has_room, windows))


def _has_room(window: Object) -> bool:
    used = window.get("used_percent")
    return not isinstance(used, bool) and isinstance(used, int | Decimal) and 0 <= used < 100
