"""Strict reading of JSON and of single fields."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.openclaw.values import FieldError, Object, instant, instant_if_sound, parse, parse_strictly, prose, text
from tests.loaders.openclaw.conftest import NOW


def refused(line: bytes) -> str:
    with pytest.raises(FieldError) as error:
        parse(line)
    return str(error.value)


def test_numbers_with_a_point_are_exact() -> None:
    assert parse(b'{"cost": 0.1}') == {"cost": Decimal("0.1")}


def test_what_is_no_json_is_refused_with_its_place() -> None:
    assert refused(b'{"a": 1,') == ("is not JSON: Expecting property name enclosed in double quotes at character 9")


def test_json_that_is_no_object_is_refused() -> None:
    assert refused(b"[1]") == "must be a JSON object like {...}, got [1]"
    assert refused(b"null") == "must be a JSON object like {...}, got null"


@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
def test_nan_and_infinity_are_refused(constant: bytes) -> None:
    assert refused(b'{"a": ' + constant + b"}") == f"is not JSON: {constant.decode()} is no number there"


def test_another_encoding_than_utf8_is_refused_with_its_place() -> None:
    assert refused(b'{"a": "\xe9"}') == "is not UTF-8 text: byte 8 of the line is wrong"
    assert refused('{"a": 1}'.encode("utf-16")) == "is not UTF-8 text: byte 1 of the line is wrong"


@pytest.mark.parametrize("depth", [101, 5_000, 200_000])
def test_nesting_over_a_hundred_is_refused_however_deep(depth: int) -> None:
    assert refused(b'{"a": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}") == "is nested more than 100 deep"


def test_nesting_of_a_hundred_and_many_objects_side_by_side_are_read() -> None:
    assert list(parse(b'{"a": ' + b"[" * 99 + b"]" * 99 + b"}")) == ["a"]
    assert len(str(parse(b'{"a": [' + b"{}," * 500 + b"{}]}"))) > 1_000


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    assert refused(b'{"a": ' + b"9" * 5_000 + b"}") == "holds a number that is too long to be one"
    assert refused(b'{"a": 1e99999999999999999999}') == "holds a number that is too long to be one"


def test_a_name_is_stripped_and_an_empty_one_is_none() -> None:
    assert text({"model": " claude-demo-4 "}, "model") == "claude-demo-4"
    assert text({"model": "  "}, "model") is None
    assert text({"model": None}, "model") is None


@pytest.mark.parametrize("value", [5, True, ["x"], {"a": 1}, "x" * 501, "a\x00b", "half \ud83d"])
def test_what_is_no_name_is_refused(value: object) -> None:
    with pytest.raises(FieldError, match=r"^model "):
        text({"model": value}, "model")


def test_prose_may_be_anything_and_is_empty_where_it_is_no_text() -> None:
    assert prose({"error": "x" * 5_000}, "error") == "x" * 5_000
    assert prose({"error": {"code": 1}}, "error") == ""


def test_a_time_is_iso_text_with_a_zone_or_epoch_milliseconds() -> None:
    expected = datetime(2026, 3, 4, 9, 0, 0, 120_000, tzinfo=UTC)
    for value in (
        "2026-03-04T09:00:00.120Z",
        "2026-03-04T10:00:00.120+01:00",
        1772614800120,
        Decimal("1772614800120.7"),
    ):
        at = instant({"at": value}, "at", NOW)
        assert at == expected
        assert at is not None
        assert at.tzinfo is UTC


def test_an_unset_clock_is_no_time() -> None:
    assert instant({"at": 0}, "at", NOW) is None
    assert instant({}, "at", NOW) is None


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-04T09:00:00",
        "yesterday",
        "",
        "0001-01-01T00:00:00+14:00",
        True,
        False,
        [],
        -5,
        10**15,
        Decimal("1e999999999"),
    ],
)
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(FieldError, match=r"^at must be a time"):
        instant({"at": value}, "at", NOW)


def test_a_time_more_than_a_day_ahead_or_before_openclaw_is_refused() -> None:
    assert instant({"at": "2026-03-11T11:59:59Z"}, "at", NOW) is not None
    with pytest.raises(FieldError, match=r"more than a day ahead of this load's clock$"):
        instant({"at": "2026-03-11T12:00:01Z"}, "at", NOW)
    with pytest.raises(FieldError, match="seconds instead of milliseconds"):
        instant({"at": 1772614800}, "at", NOW)


def test_the_reason_of_a_time_in_the_future_is_the_same_in_every_load() -> None:
    reasons = []
    for minutes in (0, 15):
        with pytest.raises(FieldError) as refused:
            instant({"at": "2027-01-01T00:00:00Z"}, "at", NOW + timedelta(minutes=minutes))
        reasons.append(str(refused.value))
    assert reasons == ["at is 2027-01-01T00:00:00+00:00, more than a day ahead of this load's clock"] * 2


def test_a_time_that_is_only_a_clue_is_none_where_it_is_unsound() -> None:
    assert instant_if_sound({"at": "yesterday"}, "at", NOW) is None
    assert instant_if_sound({"at": "2026-03-04T09:00:00Z"}, "at", NOW) == datetime(2026, 3, 4, 9, tzinfo=UTC)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(2**63 - 2, 2**64 + 2),
    st.floats(allow_nan=True),
    st.floats(0, 10),
    st.text(st.characters(codec=None), max_size=8),
)
"""Halves of surrogate pairs among the characters, NaN and Infinity among the numbers."""
NAMES = st.sampled_from(["usage", "cost", "message", "total", "type", "a"])
ENTRIES = st.dictionaries(
    NAMES,
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4)),
    max_size=5,
)
STRANGE = st.sampled_from(
    [
        *(b"NaN", b"-0", b"-0.0", b"1E5", b"1.50", b"01", b"1e400", b"9" * 30, b"[" * 120 + b"]" * 120),
        *(b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x00", b"\x0b", b'"\\ud800"', b'"\\x"'),
        *(b"{", b"]", b",", b" ", b'"a": 1, "a": 1.5,'),
    ]
)


def outcome(read: object, line: bytes) -> object:
    """What came of a line, with the type of every value: 1, 1.0 and True are equal and not the same."""
    assert callable(read)
    try:
        return typed(read(line))
    except FieldError as error:
        return str(error)


def typed(value: object) -> object:
    if isinstance(value, dict):
        return [(name, typed(inner)) for name, inner in value.items()]
    if isinstance(value, list):
        return [typed(inner) for inner in value]
    return type(value).__name__, value


@given(ENTRIES, st.booleans(), st.lists(st.tuples(st.integers(0, 200), STRANGE), max_size=2))
@settings(max_examples=250, deadline=None)
def test_reading_fast_says_what_reading_strictly_says(
    entry: Object, is_ascii: bool, intrusions: list[tuple[int, bytes]]
) -> None:
    line = json.dumps(entry, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    for place, strange in intrusions:
        line = line[:place] + strange + line[place:]
    assert outcome(parse, line) == outcome(parse_strictly, line)


@given(st.dictionaries(st.sampled_from(["input", "output", "total"]), st.floats(0, 1e6)))
@settings(max_examples=100, deadline=None)
def test_an_estimate_is_the_number_that_was_written(cost: dict[str, float]) -> None:
    line = json.dumps({"type": "message", "message": {"role": "assistant", "usage": {"cost": cost}}}).encode()
    assert outcome(parse, line) == outcome(parse_strictly, line)


def test_a_whole_number_of_more_than_64_bits_stays_one() -> None:
    assert parse(b'{"usage": {"cost": {"total": 36893488147419103232}}}') == {"usage": {"cost": {"total": 2**65}}}
    assert parse(b'{"tokens": 36893488147419103232}') == {"tokens": 2**65}


def test_of_two_fields_with_one_name_the_last_counts() -> None:
    assert parse(b'{"a": 1, "a": 2}') == parse_strictly(b'{"a": 1, "a": 2}') == {"a": 2}
