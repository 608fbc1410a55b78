"""The example home against what its providers' APIs answer: per provider and day, every cause as it was written."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from loaders import Task, anthropic, openai
from loaders.job import run_load
from loaders.kinds import LOADERS
from semantic import load_catalog
from server.demo import write_home
from server.demo.bill import DISCOUNT, ProviderAnswers, answers, billed_days, calls_of, is_late
from server.demo.plan import days_until, plan
from server.demo.prices import cost_usd, price_book
from server.demo.session import midnight_ms
from store import Store
from tests.loaders.anthropic.stub import KEY, Anthropic
from tests.loaders.http_stub import Asked, Reply, served
from tests.server.conftest import Api
from tests.stores import new_store

pytestmark = pytest.mark.whole
ROOT = Path(__file__).parents[2]
LAST_DAY = date(2026, 3, 15)
NEXT_MORNING = datetime(2026, 3, 16, 6, tzinfo=UTC)
RESTATED = datetime(2026, 3, 19, 6, tzinfo=UTC)
BOOK = price_book(days_until(LAST_DAY)[0])
SESSIONS = plan(LAST_DAY)
OPENAI_KEY = "sk-admin-secretSECRETsecret0123456789"
ROWS = """rows { provider startsOn status computedUsd billedUsd driftUsd matchedUsd matchedShare mayChange
    causes { kind usd model tokens calls missing }
    models { model recorded { outputTokens } reported { outputTokens } } }"""
Found = dict[tuple[str, str], Any]


def openai_answer(given: ProviderAnswers, asked: Asked) -> Reply:
    """A page of buckets for the days asked for."""
    if asked.headers.get("authorization") != f"Bearer {OPENAI_KEY}":
        return Reply(401, b'{"error": {"message": "Incorrect API key"}}')
    url = urlsplit(asked.path)
    query = parse_qs(url.query)
    reports = {"costs": given.openai_costs, "usage/completions": given.openai_usage}
    by_day = reports.get(url.path.removeprefix("/v1/organization/"), {})
    start, end = int(query["start_time"][0]), int(query["end_time"][0])
    buckets = [
        {"object": "bucket", "start_time": at, "end_time": at + 86_400, "results": by_day.get(_day(at), [])}
        for at in range(start, end, 86_400)
    ]
    return Reply(200, json.dumps({"object": "page", "data": buckets, "has_more": False, "next_page": None}).encode())


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def load_bills(store: Store, given: ProviderAnswers, now: datetime) -> None:
    with served(Anthropic(given.anthropic_costs, given.anthropic_usage).answer) as url:
        load(store, anthropic, "anthropic", url, KEY, now)
    with served(lambda asked: openai_answer(given, asked)) as url:
        load(store, openai, "openai", url, OPENAI_KEY, now)


def load(store: Store, loader: Any, kind: str, url: str, key: str, now: datetime) -> None:
    options = {"url": url, "since": billed_days(LAST_DAY)[0].isoformat()}
    items = loader.read(Task("acme", now, options, token=key))
    report = run_load(store, kind, "acme", items, now=now)
    assert (report.rejected, report.rejections) == (0, ())
    assert report.stored > 0


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Found, Found]]:
    """What is answered on the next morning, and after the last day was restated."""
    home = write_home(tmp_path_factory.mktemp("demo"), last_day=LAST_DAY)
    api_catalog = load_catalog((ROOT / "metrics.yaml").read_text(), "metrics.yaml")
    with new_store() as store:
        _leave_out_earlier_sessions(home.openclaw)
        for kind, path in (("prices", home.prices_csv), ("openclaw", home.openclaw)):
            run_load(store, kind, str(path), LOADERS[kind].read(Task(str(path), NEXT_MORNING)), now=NEXT_MORNING)
        found = []
        for is_restated, now in ((False, NEXT_MORNING), (True, RESTATED)):
            load_bills(store, answers(SESSIONS, BOOK, LAST_DAY, is_restated=is_restated), now)
            asked = f'{{ reconciliation(since: "{billed_days(LAST_DAY)[0]}") {{ {ROWS} totals {{ matchedShare }} }} }}'
            answer = Api(api_catalog, store).data(asked)["reconciliation"]
            by_day = {(row["provider"], row["startsOn"]): row for row in answer["rows"]}
            found.append(by_day | {("total", ""): answer["totals"]})
        yield found[0], found[1]


def _leave_out_earlier_sessions(openclaw: Path) -> None:
    """Sixty days take a while to load, and the bill is for six."""
    first_ms = midnight_ms(billed_days(LAST_DAY)[0])
    earlier = {session.session_id for session in SESSIONS if session.ended_ms < first_ms}
    for path in openclaw.rglob("*.jsonl*"):
        if path.name[:36] in earlier:
            path.unlink()


def causes(row: Any) -> dict[str, Decimal]:
    """By kind; of several models, added."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for cause in row["causes"]:
        found[cause["kind"]] += Decimal(cause["usd"])
    return dict(found)


def cost(provider: str, day: date, *, late_only: bool = False) -> Decimal:
    calls = [call for call in calls_of(SESSIONS, day) if call.model.provider == provider]
    return sum((cost_usd(call, BOOK) or Decimal(0) for call in calls if not late_only or is_late(call)), Decimal(0))


def written(*, is_restated: bool) -> dict[tuple[str, str], dict[str, Decimal]]:
    """The causes by construction: nothing but what the bill was written with."""
    _, unrecorded_on, fee_on, discount_on, credit_on, last = billed_days(LAST_DAY)
    found: dict[tuple[str, str], dict[str, Decimal]] = {
        ("anthropic", str(unrecorded_on)): {"UNRECORDED_TRAFFIC": Decimal("0.047097")},
        ("anthropic", str(fee_on)): {"FEES": Decimal("0.07")},
        ("anthropic", str(discount_on)): {"PRICE_DIFFERENCE": -DISCOUNT * cost("anthropic", discount_on)},
        ("openai", str(credit_on)): {"CREDITS": Decimal("-0.5")},
    }
    if not is_restated:
        for provider in ("anthropic", "openai"):
            found[provider, str(last)] = {"OTHER_DAYS": -cost(provider, last, late_only=True)}
    return found


@pytest.mark.parametrize("is_restated", [False, True])
def test_every_difference_has_the_cause_that_it_was_written_with(
    both: tuple[Found, Found], *, is_restated: bool
) -> None:
    found, expected = both[is_restated], written(is_restated=is_restated)
    days = [str(day) for day in billed_days(LAST_DAY)]
    for provider in ("anthropic", "openai"):
        for day in days:
            row = found[provider, day]
            assert causes(row) == expected.get((provider, day), {}), (provider, day)
            assert sum(causes(row).values()) == Decimal(row["driftUsd"])
            assert Decimal(row["computedUsd"]) == cost(provider, date.fromisoformat(day))
            assert Decimal(row["billedUsd"]) == Decimal(row["computedUsd"]) + Decimal(row["driftUsd"])


def test_the_matched_share_is_what_recorded_calls_explain(both: tuple[Found, Found]) -> None:
    (_, unrecorded_on, fee_on, discount_on, *_), found = billed_days(LAST_DAY), both[True]
    for day, missed in ((unrecorded_on, Decimal("0.047097")), (fee_on, Decimal("0.07")), (discount_on, Decimal(0))):
        row = found["anthropic", str(day)]
        assert Decimal(row["matchedUsd"]) == Decimal(row["billedUsd"]) - missed
        share = Decimal(row["matchedUsd"]) / Decimal(row["billedUsd"])
        assert Decimal(row["matchedShare"]) == pytest.approx(share, abs=Decimal("1e-12"))
    billed = [row for (provider, _), row in found.items() if provider != "total" and row["matchedShare"]]
    of_all = sum(Decimal(row["matchedUsd"]) for row in billed) / sum(Decimal(row["billedUsd"]) for row in billed)
    assert of_all < 1
    assert Decimal(found["total", ""]["matchedShare"]) == pytest.approx(of_all, abs=Decimal("1e-12"))


def test_what_was_missed_is_told_with_its_model_and_tokens(both: tuple[Found, Found]) -> None:
    (cause,) = both[True]["anthropic", str(billed_days(LAST_DAY)[1])]["causes"]
    assert {name: cause[name] for name in ("model", "tokens", "calls")} == {
        "model": "claude-sonnet-4-6",
        "tokens": 3 * 22_308,
        "calls": None,
    }


def test_only_the_days_that_were_read_early_may_change(both: tuple[Found, Found]) -> None:
    days = [str(day) for day in billed_days(LAST_DAY)]
    assert [both[False]["anthropic", day]["mayChange"] for day in days] == [False] * 3 + [True] * 3
    assert [both[True]["anthropic", day]["mayChange"] for day in days] == [False] * 6


def test_a_model_is_found_under_the_name_of_its_snapshot(both: tuple[Found, Found]) -> None:
    row = both[True]["openai", str(LAST_DAY - timedelta(days=1))]
    (model,) = (one for one in row["models"] if one["recorded"])
    assert model["model"] == "gpt-5.2"
    assert model["recorded"] == model["reported"]
