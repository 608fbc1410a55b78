"""G18: why spend changed, in volume, mix and rate that add up. Sessions of two months, by GraphQL."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from semantic import Catalog
from store import Record, Request, Session, Store
from tests.golden.conftest import Golden, instant, load_records
from tests.server.conftest import Api
from tests.stores import new_store

pytestmark = pytest.mark.golden
CASE = "G18_change_explained"
SIDES = (("n0", "unit0_usd", "2026-01-15T00:00:00Z"), ("n1", "unit1_usd", "2026-02-15T00:00:00Z"))
QUESTION = """
{
  changeExplained(before: {range: "2026-01"}, after: {range: "2026-02"}, by: [MODEL, AGENT], measure: %s) {
    status unit topDriver deltaUsd volumeUsd mixUsd rateUsd
    before { count costUsd perUnitUsd unpriced } after { count costUsd perUnitUsd unpriced }
    groups { name kind deltaUsd volumeUsd mixUsd rateUsd before { count costUsd } after { count costUsd } }
  }
}"""


def records(groups: list[dict[str, Any]]) -> list[Record]:
    """A session with one billed call for each member of a group; its name is a model and an agent."""
    made: list[Record] = []
    for group in groups:
        model, agent = group["group"].split("/")
        for count, unit, started_at in SIDES:
            for number in range(int(group[count])):
                made += member(f"{group['group']}/{count}/{number}", model, agent, group[unit], instant(started_at))
    return made


def member(name: str, model: str, agent: str, usd: str, started_at: datetime | None) -> list[Record]:
    times = {"started_at": started_at, "ended_at": started_at}
    call = Request(
        request_key=name, source="case", session_id=name, agent=agent, model=model, billed_usd=Decimal(usd), **times
    )
    ended: dict[str, Any] = {"termination": "success", "termination_confidence": 100}
    return [call, Session(session_id=name, source="case", agent=agent, model=model, **times, **ended)]


@pytest.fixture(scope="module")
def holding() -> Iterator[Store]:
    """One store for the module: it takes seconds to fill."""
    with new_store() as store:
        yield store


@pytest.mark.parametrize("measure", ["SESSION_COST", "SESSION_API_COST", "INFERENCE_COST"])
def test_a_change_is_explained_to_the_last_digit(
    measure: str, golden: Golden, catalog: Catalog, golden_module: ModuleType, holding: Store
) -> None:
    case = golden(CASE)
    if not holding.loads():
        load_records(holding, records(case["inputs"]["groups.csv"]))
    told = Api(catalog, holding).data(QUESTION % measure)["changeExplained"]
    parts = ("volumeUsd", "mixUsd", "rateUsd")
    delta = Decimal(told["deltaUsd"])
    found = {
        **{side: _side(told[side]) for side in ("before", "after")},
        **{name: told[name] for name in ("deltaUsd", *parts, "topDriver")},
        "identityResidualUsd": delta - sum(Decimal(told[part]) for part in parts),
        "byGroup": {group["name"]: group for group in told["groups"]},
    }
    assert golden_module.differences(found, case["expected"]) == []
    assert (told["status"], told["unit"]) == ("OK", "calls" if measure == "INFERENCE_COST" else "sessions")
    for part in ("deltaUsd", *parts):
        assert sum(Decimal(group[part]) for group in told["groups"]) == Decimal(told[part])


def _side(side: dict[str, Any]) -> dict[str, Any]:
    assert side["unpriced"] == 0
    return {"sessions": side["count"], "costUsd": side["costUsd"], "perSessionUsd": side["perUnitUsd"]}
