"""Whatever happens to a metrics file, it is read or its mistakes are told; nothing else is ever raised."""

import random
import re
from pathlib import Path

import pytest

from semantic import CatalogError, Mistake, columns_used, load_catalog

pytestmark = pytest.mark.whole

WHOLE = (Path(__file__).parent / "grammar.yaml").read_text(encoding="utf-8")
"""A file that uses every part of the grammar."""
STRANGE = (
    "", "null", "~", "-1", "1e9", "[]", "{}", "[a, b]", "{a: b}", "x.y", "a b", "'", '"', "(select 1)", "30 days",
    "99999 years", ":caller.x", ":caller", "*", "&a", "*a", "!!int x", "- ", "|", "é", "\x00", "\ud800", "💥",
    "revenue", "time", "as_of", "time.hour", "all", "a.b.c.d.e", "((((((", "$1", "?", "#", "--", "/*", "x in ()", "not",
    "case", "->", "if x", "<<", "date '2026-02-30'", "try_cast(a as int)", "{{a}}", "\\", "%", "1_0", "0x1F", ".inf",
    "1:30",
)  # fmt: skip
DAMAGES = 40
"""Damaged files of each test; each is a few changes away from a sound one."""


def _damaged(text: str, random_: random.Random) -> str:
    for _ in range(random_.choice((1, 1, 1, 2, 4))):
        text = random_.choice((_cut, _swapped, _repeated, _replaced, _inserted, _mixed))(text, random_)
    return text


def _cut(text: str, random_: random.Random) -> str:
    start = random_.randrange(len(text))
    return text[:start] + text[start + random_.randint(1, 5) :]


def _swapped(text: str, random_: random.Random) -> str:
    lines = text.split("\n")
    one, other = random_.randrange(len(lines)), random_.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def _repeated(text: str, random_: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(random_.randrange(len(lines)), random_.choice(lines))
    return "\n".join(lines)


def _replaced(text: str, random_: random.Random) -> str:
    found = random_.choice(list(re.finditer(r"(?<=: )[^,{}\[\]\n]+", text)))
    return text[: found.start()] + random_.choice(STRANGE) + text[found.end() :]


def _inserted(text: str, random_: random.Random) -> str:
    place = random_.randrange(len(text))
    return text[:place] + random_.choice(STRANGE) + text[place:]


def _mixed(text: str, random_: random.Random) -> str:
    """One word of the file in the place of another one."""
    words = list(re.finditer(r"\w+", text))
    one, other = random_.choice(words), random_.choice(words)
    return text[: one.start()] + other.group() + text[one.end() :]


def test_the_whole_grammar_loads() -> None:
    catalog = load_catalog(WHOLE)
    assert {use.source for use in columns_used(catalog)} == {model.source for model in catalog.models.values()}


def _told(text: str) -> tuple[Mistake, ...]:
    """The mistakes of a file; none for one that loads."""
    try:
        catalog = load_catalog(text)
    except CatalogError as error:
        return error.mistakes
    assert {use.source for use in columns_used(catalog)} <= {model.source for model in catalog.models.values()}
    return ()


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_file_is_read_or_its_mistakes_are_told_with_their_places(seed: int) -> None:
    random_ = random.Random(seed)
    texts = [_damaged(WHOLE, random_) for _ in range(DAMAGES)]
    told = [_told(text) for text in texts]
    assert sum(map(bool, told)) > DAMAGES / 2
    for text, mistakes in zip(texts, told, strict=True):
        assert all(1 <= m.mark.line <= text.count("\n") + 2 and m.mark.column >= 1 and m.message for m in mistakes)


PLACES = (
    "metrics: {%s: {count: runs}}",
    "metrics: {a: %s}",
    "metrics: {a: {count: runs, where: %s}}",
    "metrics: {a: {sum: runs.%s}}",
    "metrics: {a: {count: runs}, b: {metric: %s, shift: 1 day}}",
    "metrics: {}\nfilters: %s",
    "metrics: {}\npolicies: {a: {model: runs, rows: %s}}",
    "metrics: {}\ntests: [%s]",
    "metrics: {}\ncalendar: %s",
    "metrics: {}\ndefaults: {time_zone: %s}",
)


@pytest.mark.parametrize("strange", STRANGE, ids=repr)
def test_any_text_in_the_place_of_a_definition_is_read_or_told(strange: str) -> None:
    head = "models: {runs: {source: runs, key: id, time: at}}\n"
    assert any(_told(head + place % strange) for place in PLACES)
