"""An answer that was written down while it streamed is one record before it is priced, and nothing else changes."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from loaders.copies import MOST_AT_ONCE
from loaders.costing import Costing
from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.job import run_load, stage_items
from store import LoadReport, Price, Request, Stage
from tests.stores import new_store

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
APART = Ignored(Location("a.jsonl"), "something between")
PRICE = Price(
    price_id="p-1",
    source="book",
    provider="anthropic",
    model="claude-demo-4",
    effective_from=datetime(2026, 1, 1, tzinfo=UTC),
    input=Decimal(3),
    cache_read=Decimal("0.3"),
    cache_write_5m=Decimal("3.75"),
    cache_write_1h=Decimal(6),
    output=Decimal(15),
)


def request(output: int | None = 8, second: int = 0, key: str = "anthropic:msg_1", **other: object) -> Request:
    counted = None if output is None else 10
    whole = Request(
        request_key=key,
        source="claude-code",
        session_id="s-1",
        provider="anthropic",
        model="claude-demo-4",
        started_at=AT + timedelta(seconds=second),
        ended_at=AT + timedelta(seconds=second),
        uncached_input_tokens=counted,
        cache_read_tokens=counted,
        cache_write_5m_tokens=counted,
        cache_write_1h_tokens=counted,
        output_tokens=output,
        owner_started_at=AT,
    )
    return replace(whole, **other)  # type: ignore[arg-type]  # fields by name


def parsed(*requests: Request) -> list[Item]:
    return [Parsed(Location("a.jsonl", line), (one,)) for line, one in enumerate(requests, start=1)]


def loaded(items: Iterable[Item], price: Price = PRICE) -> tuple[LoadReport, list[tuple[object, ...]], int]:
    """The report, the requests and how many conflicts a load of these items gives, in a store with one price."""
    with new_store() as store:
        run_load(store, "prices", "book", [Parsed(Location("book"), (price,))], now=NOW)
        report = run_load(store, "claude-code", "a.jsonl", items, now=NOW)
        rows = store.read("SELECT * EXCLUDE (load_id, first_load_id) FROM requests ORDER BY request_key").rows
        conflicts = store.read("SELECT DISTINCT * EXCLUDE (load_id) FROM conflicts ORDER BY ALL").rows
        return report, [*rows, *conflicts], len(conflicts)


def test_lines_of_one_answer_are_one_staged_record() -> None:
    with Stage(source="claude-code", location="a.jsonl") as stage:
        stage_items(stage, parsed(request(8), request(8, 1), request(85, 2)), Costing([PRICE], now=NOW))
        stage.close()
        assert (stage.directory / "requests.ndjson").read_bytes().count(b"\n") == 1
        assert (stage.items, stage.ignored) == (1, {"another copy of a request of the same load": 2})


def test_the_row_begins_with_the_first_line_and_has_the_output_of_the_last() -> None:
    with new_store() as store:
        report = run_load(store, "claude-code", "a.jsonl", parsed(request(8), request(8, 1), request(85, 2)), now=NOW)
        told = store.read("SELECT started_at, ended_at, output_tokens FROM requests").rows
    assert (report.read, report.stored, report.ignored) == (3, 1, 2)
    begun = AT.replace(tzinfo=None)
    assert [tuple(row) for row in told] == [(begun, begun + timedelta(seconds=2), 85)]


def stream(chance: Random, number: int) -> list[Request]:
    """Some lines of two answers, alike or not, in any order."""
    return [
        request(
            chance.choice([8, 8, 40, 85, None]),
            chance.randrange(5),
            f"anthropic:msg_{number}_{chance.choice([1, 1, 2])}",
            session_id=chance.choice(["s-1", "s-1", "s-2"]),
            model=chance.choice(["claude-demo-4", "claude-demo-4", "claude-demo-4", "claude-demo-5", None]),
            status=chance.choice(["ok", "ok", "error"]),
            owner_started_at=chance.choice([AT, AT, AT - timedelta(hours=1), None]),
        )
        for _ in range(chance.randrange(1, 7))
    ]


def test_whatever_follows_whatever_the_load_is_what_it_is_with_something_between() -> None:
    chance = Random(4)
    lines = parsed(*(line for number in range(1_500) for line in stream(chance, number)))
    lines += parsed(
        *(request(8 * (1 + second // 2), second, f"anthropic:all_{n}") for n in range(50) for second in range(4))
    )
    others = parsed(*(request(1, key=f"anthropic:other_{number}") for number in range(len(lines))))
    together, *same = loaded([*lines, *others])
    apart, *same_apart = loaded([item for pair in zip(lines, others, strict=True) for item in pair])
    assert same == same_apart
    assert replace(together, ignored_by_rule=()) == replace(apart, ignored_by_rule=())
    assert dict(together.ignored_by_rule) == dict(apart.ignored_by_rule)
    assert together.conflicts > 100


def test_what_is_ignored_between_two_lines_of_an_answer_does_not_part_them() -> None:
    first, last = parsed(request(8), request(85, 2))
    report, rows, _ = loaded([first, APART, last])
    assert (report.read, report.stored, report.ignored) == (3, 1, 2)
    assert len(rows) == 1


def test_an_answer_that_is_repeated_for_ever_is_still_one() -> None:
    copies = MOST_AT_ONCE * 2 + 1
    report, rows, _ = loaded(parsed(*(request(8, second) for second in range(copies))))
    assert (report.read, report.stored, report.ignored, len(rows)) == (copies, 1, copies - 1, 1)


def test_a_last_line_whose_cost_cannot_be_stored_is_rejected_alone() -> None:
    lines = parsed(request(8), request(8, 1), request(10**15, 2))
    report, _, _ = loaded(lines, replace(PRICE, output=Decimal(10) ** 14))
    assert (report.read, report.stored, report.ignored, report.rejected) == (3, 1, 1, 1)
    assert report.rejections[0][0] == "a.jsonl:3"


def test_what_is_rejected_between_two_lines_of_an_answer_is_reported() -> None:
    between = Rejected(Location("a.jsonl", 2), "is not JSON")
    report, _, _ = loaded([*parsed(request(8)), between, *parsed(request(8, 1))])
    assert (report.read, report.stored, report.ignored, report.rejected) == (3, 1, 1, 1)
