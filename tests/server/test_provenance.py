"""Who saw a call, asked over GraphQL: by any of its keys, and only of calls that the caller may see."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from loaders.item import Location, Parsed
from loaders.job import run_load
from semantic import Caller, Catalog
from store import Store
from tests.server.conftest import Api
from tests.server.test_known import CALL, LINE, day
from tests.stores import new_store

ASKED = """
query ($key: String!) {
  callProvenance(requestKey: $key) {
    requestKey
    sightings { source seenAs rule gave identities sessionId outputTokens costUsd costStatus }
  }
}"""
WRITTEN = replace(CALL, request_key="acme:r1", identities=("response:r1",), source="openclaw", owner_started_at=day(0))
TRACED = replace(
    CALL, request_key="otlp:1", identities=("response:r1",), source="otlp", session_id=None, agent=None, output_tokens=5
)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with new_store() as opened:
        for records in ((LINE,), (WRITTEN, replace(CALL, request_key="alone", model="other")), (TRACED,)):
            items = [Parsed(Location("test", n), (record,)) for n, record in enumerate(records, start=1)]
            run_load(opened, "test", "test", items, now=day(1))
        yield opened


def test_a_call_tells_who_saw_it_and_who_gave_what_by_any_of_its_keys(store: Store, catalog: Catalog) -> None:
    api = Api(catalog, store)
    for key in ("acme:r1", "otlp:1"):
        assert api.data(ASKED, {"key": key})["callProvenance"] == {
            "requestKey": "acme:r1",
            "sightings": [
                {
                    "source": "openclaw",
                    "seenAs": "acme:r1",
                    "rule": "KEY",
                    "gave": ["SESSION", "AGENT", "START"],
                    "identities": ["response:r1"],
                    "sessionId": "s1",
                    "outputTokens": 0,
                    "costUsd": "2.000000000000",
                    "costStatus": "PRICED",
                },
                {
                    "source": "otlp",
                    "seenAs": "otlp:1",
                    "rule": "IDENTITY",
                    "gave": ["MODEL", "TOKENS", "STATUS"],
                    "identities": ["response:r1"],
                    "sessionId": None,
                    "outputTokens": 5,
                    "costUsd": None,
                    "costStatus": "UNPRICED",
                },
            ],
        }


def test_a_call_that_one_source_saw_has_all_from_there(store: Store, catalog: Catalog) -> None:
    (seen,) = Api(catalog, store).data(ASKED, {"key": "alone"})["callProvenance"]["sightings"]
    assert (seen["rule"], seen["gave"]) == ("KEY", ["SESSION", "AGENT", "MODEL", "START", "TOKENS", "STATUS"])


def test_a_key_that_no_call_has_is_null_and_one_that_none_can_have_is_refused(store: Store, catalog: Catalog) -> None:
    api = Api(catalog, store)
    assert api.data(ASKED, {"key": "nothing"})["callProvenance"] is None
    assert api.codes('{ callProvenance(requestKey: "") { requestKey } }') == ["BAD_VALUE"]


def test_who_may_not_see_costs_of_calls_is_not_offered_it(store: Store, catalog: Catalog) -> None:
    api = Api(catalog, store, caller=Caller(frozenset({"dashboard"})))
    assert api.codes('{ callProvenance(requestKey: "alone") { requestKey } }') != []
