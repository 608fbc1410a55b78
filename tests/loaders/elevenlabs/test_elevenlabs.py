"""How far the credits at ElevenLabs are used, and by which key on which day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from loaders.item import Item, LoadError, Note, Parsed, Rejected
from loaders.job import run_load
from loaders.loader import Task
from store import CreditQuota, CreditUsage
from tests.loaders.elevenlabs.stub import ElevenLabs
from tests.loaders.http_stub import NOW
from tests.loaders.scripted import query, said
from tests.loaders.services import Asking, asking
from tests.stores import new_store

DAY = 86_400_000
NOVEMBER_19 = 1795046400000


@pytest.fixture
def workspace() -> Iterator[Asking]:
    with asking("elevenlabs") as found:
        yield found


def stub(workspace: Asking) -> ElevenLabs:
    assert isinstance(workspace.stub, ElevenLabs)
    return workspace.stub


def of(kind: type, items: list[Item | Note]) -> list[Any]:
    records = [record for item in items if isinstance(item, Parsed) for record in item.records]
    return [record for record in records if isinstance(record, kind)]


def test_the_subscription_is_the_state_of_the_credits(workspace: Asking) -> None:
    assert of(CreditQuota, workspace.load()) == [
        CreditQuota(
            vendor="elevenlabs",
            plan="creator",
            observed_at=NOW,
            source="elevenlabs",
            used_credits=Decimal(41_250),
            limit_credits=Decimal(100_000),
            starts_on=date(2026, 11, 18),
            resets_at=datetime(2026, 12, 18, tzinfo=UTC),
            fee_usd=Decimal(22),
        )
    ]


def test_the_use_of_each_day_and_key_has_the_worth_of_the_plan(workspace: Asking) -> None:
    found = of(CreditUsage, workspace.load())

    assert [(use.used_at, use.description, use.credits, use.usd) for use in found] == [
        (datetime(2026, 11, 19, tzinfo=UTC), "fleet-key", Decimal(1250), Decimal("0.275")),
        (datetime(2026, 11, 20, tzinfo=UTC), "other", Decimal(310), Decimal("0.0682")),
    ]
    assert {use.source for use in found} == {"elevenlabs"}


def test_one_question_is_in_milliseconds(workspace: Asking) -> None:
    workspace.load(since="2026-11-19")
    asked = query(workspace.stub.asked[-1])

    assert (asked["start_unix"], asked["end_unix"]) == ("1795046400000", str(int(NOW.timestamp()) * 1000))
    assert asked["include_workspace_metrics"] == "true"


def test_a_day_that_goes_on_grows_and_is_not_added(workspace: Asking) -> None:
    stub(workspace).use = {"fleet-key": {NOVEMBER_19 + 3 * DAY: 100.0}}
    with new_store() as store:
        run_load(store, "elevenlabs", "workspace", workspace.load(), now=NOW)
        stub(workspace).use = {"fleet-key": {NOVEMBER_19 + 3 * DAY: 250.0}}
        workspace.time.at += timedelta(hours=8)
        run_load(store, "elevenlabs", "workspace", workspace.load(), now=workspace.time.at)

        assert store.read("SELECT credits FROM credit_usage").rows == [(Decimal(250),)]
    assert query(workspace.stub.asked[-1])["start_unix"] == str(NOVEMBER_19)


def test_a_count_that_falls_at_the_reset_begins_anew_and_loses_no_use(workspace: Asking) -> None:
    with new_store() as store:
        run_load(store, "elevenlabs", "workspace", workspace.load(), now=NOW)
        reset = {"character_count": 120, "next_character_count_reset_unix": 1797552000 + 31 * 86_400}
        stub(workspace).subscription |= reset
        workspace.time.at = datetime(2026, 12, 18, 6, tzinfo=UTC)
        run_load(store, "elevenlabs", "workspace", workspace.load(), now=workspace.time.at)
        quotas = store.read("SELECT used_credits, resets_at::DATE::VARCHAR FROM credit_quotas ORDER BY 2").rows
        used = store.read("SELECT sum(credits) FROM credit_usage").rows

    assert quotas == [(Decimal(41_250), "2026-12-18"), (Decimal(120), "2027-01-18")]
    assert used == [(Decimal(1560),)]


@pytest.mark.parametrize("extension", ["unlimited", 50_000, None])
def test_an_extension_of_the_limit_may_be_a_number_or_a_word(workspace: Asking, extension: object) -> None:
    stub(workspace).subscription["max_credit_limit_extension"] = extension

    [quota] = of(CreditQuota, workspace.load())
    assert quota.limit_credits == Decimal(100_000)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"character_count": -1}, "character_count must be a number of credits"),
        ({"tier": None}, "tier must be text"),
        ({"next_character_count_reset_unix": 17975}, "before there were credits to use"),
        ({"next_invoice": {"subtotal_cents": "much"}}, "next_invoice.subtotal_cents must be"),
    ],
)
def test_a_subscription_that_cannot_be_right_is_rejected_and_the_use_has_no_worth(
    workspace: Asking, changes: dict[str, object], reason: str
) -> None:
    stub(workspace).subscription |= changes
    items = workspace.load()

    [rejected] = [item for item in items if isinstance(item, Rejected)]
    assert reason in rejected.reason
    assert [use.usd for use in of(CreditUsage, items)] == [None, None]


def test_seconds_where_milliseconds_were_are_told_apart_by_their_size(workspace: Asking) -> None:
    stub(workspace).subscription["next_character_count_reset_unix"] = 1797552000 * 1000

    [quota] = of(CreditQuota, workspace.load())
    assert quota.resets_at == datetime(2026, 12, 18, tzinfo=UTC)


def test_a_long_time_is_asked_for_in_parts(workspace: Asking) -> None:
    workspace.load(since="2026-09-01")

    asked = [query(each) for each in workspace.stub.asked[1:]]
    assert len(asked) == 3
    assert all(first["end_unix"] == second["start_unix"] for first, second in pairwise(asked))


def test_a_report_of_use_that_was_taken_away_costs_no_state_of_the_credits(workspace: Asking) -> None:
    workspace.stub.script = [lambda _: None, said(410, {"detail": {"message": "use the analytics"}})]
    items = list(workspace.kind.read(workspace.task(), workspace.clock))

    assert [type(item) for item in items] == [Parsed, Rejected]
    assert "there is no such thing as the usage there" in str(items[1])


def test_the_location_says_whose_use_it_is(workspace: Asking) -> None:
    with pytest.raises(LoadError, match="the location is workspace or user: whose use is told; got 'me'"):
        workspace.kind.read(Task("me", NOW), None)
