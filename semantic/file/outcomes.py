"""`outcomes:` says what each kind of outcome means for the task of its session."""

import re
from collections.abc import Collection, Mapping

from semantic.errors import suggestion
from semantic.file.document import Mistakes, Value, check_keys
from semantic.file.duration import read_duration
from semantic.file.names import flag_of, is_mapping, text_of, texts_in
from semantic.file.order import ordered
from semantic.outcome import OutcomeRule, minutes
from semantic.periods import Duration

KIND = re.compile(r"[A-Z][A-Z0-9_]{0,62}")
KEYS = ("success", "awaits", "window", "reverses", "within", "idle", "description")
MOST_KINDS = 200


def read_outcomes(value: Value | None, mistakes: Mistakes) -> dict[str, OutcomeRule]:
    if value is None or not is_mapping(value, mistakes, "from kinds of outcomes to {success: .., window: ..}"):
        return {}
    if len(value.entries) > MOST_KINDS:
        mistakes.add(value, f"there are at most {MOST_KINDS:,} kinds of outcomes, here are {len(value.entries):,}")
        return {}
    kinds = [key.text for key, _ in value.entries]
    found: dict[str, OutcomeRule] = {}
    for key, body in value.entries:
        if not KIND.fullmatch(key.text):
            mistakes.add(key, f"'{key.text}' cannot name a kind of outcome: use capitals, digits and _, as PR_MERGED")
        elif check_keys(body, KEYS, mistakes):
            found[key.text] = _rule(key, body, kinds, mistakes)
    _check_circles(value, found, mistakes)
    return found


def _rule(key: Value, body: Value, kinds: Collection[str], mistakes: Mistakes) -> OutcomeRule:
    rule = OutcomeRule(
        key.text,
        flag_of(body.get("success"), mistakes, "success"),
        _kinds(body.get("awaits"), kinds, mistakes),
        _length(body.get("window"), "a window", mistakes),
        _kinds(body.get("reverses"), kinds, mistakes),
        _length(body.get("within"), "within", mistakes),
        bool(flag_of(body.get("idle"), mistakes, "idle")),
        text_of(body, "description", mistakes),
        key.mark,
    )
    _check_together(key, body, rule, mistakes)
    return rule


def _check_together(key: Value, body: Value, rule: OutcomeRule, mistakes: Mistakes) -> None:
    def has(name: str) -> bool:
        return body.get(name) is not None

    if has("awaits") and not has("window"):
        mistakes.add(key, f"'{rule.kind}' awaits something and does not say how long; add window: 7 days")
    if has("within") and not has("reverses"):
        mistakes.add(key, f"within: is for what '{rule.kind}' takes back; add reverses: [KIND], or use window:")
    if has("awaits") and has("success"):
        mistakes.add(key, f"'{rule.kind}' is decided, so it awaits nothing; leave out success: or awaits:")
    if rule.is_idle and len(body.entries) > (2 if has("description") else 1):
        mistakes.add(key, f"'{rule.kind}' is idle, so there was no task; leave out the other keys")
    if rule.reverses and rule.success:
        mistakes.add(key, f"'{rule.kind}' takes back a success and cannot be one; leave out success:, or say false")


def _kinds(value: Value | None, known: Collection[str], mistakes: Mistakes) -> tuple[str, ...]:
    found = texts_in(value, mistakes, "a kind of outcome")
    for item in found:
        if item.text not in known:
            mistakes.add(item, f"there is no rule for the kind '{item.text}'; {suggestion(item.text, known)}")
    return tuple(item.text for item in found if item.text in known)


def _length(value: Value | None, what: str, mistakes: Mistakes) -> Duration | None:
    length = None if value is None else read_duration(value, mistakes, what)
    if value is not None and length is not None and minutes(length) is None:
        mistakes.add(value, f"{what} of an outcome has a fixed length, such as 7 days; a {length.unit} has none")
        return None
    return length


def _check_circles(value: Value, rules: Mapping[str, OutcomeRule], mistakes: Mistakes) -> None:
    """What is awaited must be able to come without what awaits it."""
    keys = {key.text: key for key, _ in value.entries}
    for name in ("awaits", "reverses"):
        uses = {kind: tuple(k for k in getattr(rule, name) if k in rules) for kind, rule in rules.items()}
        for cycle in ordered(uses)[1]:
            mistakes.add(keys[cycle[0]], f"'{cycle[0]}' {name} itself: {' -> '.join(cycle)}")
