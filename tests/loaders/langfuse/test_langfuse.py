"""Generations of Langfuse become requests, and no prompt and no answer ever leaves Langfuse for it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from loaders.item import Ignored, Item, LoadError, Note, Parsed, Rejected
from loaders.job import run_load
from loaders.langfuse.usage import Usage, read_usage
from loaders.openclaw.usage import Buckets
from loaders.openclaw.values import FieldError
from store import Request
from tests.loaders.http_stub import NOW
from tests.loaders.langfuse.stub import Langfuse, generation
from tests.loaders.scripted import query, said
from tests.loaders.services import Asking, asking
from tests.stores import new_store


@pytest.fixture
def project() -> Iterator[Asking]:
    with asking("langfuse") as found:
        yield found


def stub(project: Asking) -> Langfuse:
    assert isinstance(project.stub, Langfuse)
    return project.stub


def requests(items: list[Item | Note]) -> list[Request]:
    return [record for item in items if isinstance(item, Parsed) for record in item.records if type(record) is Request]


def loaded(project: Asking, *generations: dict[str, Any], **options: str) -> list[Request]:
    stub(project).observations = list(generations)
    return requests(project.load(anew=True, **options))


def test_a_generation_is_a_request_with_disjoint_buckets(project: Asking) -> None:
    assert loaded(project, generation()) == [
        Request(
            request_key="langfuse:obs-1",
            source="langfuse",
            session_id="sess-7f3a",
            provider="anthropic",
            model="claude-haiku-4-5",
            started_at=datetime(2026, 11, 19, 0, 1, 40, 120000, UTC),
            ended_at=datetime(2026, 11, 19, 0, 1, 42, 530000, UTC),
            uncached_input_tokens=100,
            cache_read_tokens=12_000,
            cache_write_5m_tokens=400,
            cache_write_1h_tokens=0,
            output_tokens=500,
            estimated_usd=Decimal("0.0043"),
            identities=("langfuse:obs-1",),
        )
    ]


def test_prompts_and_answers_are_not_asked_for(project: Asking) -> None:
    items = project.load()

    [asked] = [query(asked) for asked in project.stub.asked]
    assert "io" not in asked["fields"].split(",")
    assert (asked["type"], asked["limit"]) == ("GENERATION", "1000")
    assert "secret of the customer" not in str(items)


def test_a_span_of_opentelemetry_keeps_its_name(project: Asking) -> None:
    [request] = loaded(project, generation("00F067AA0BA902B7"))

    assert request.identities == (
        "langfuse:00F067AA0BA902B7",
        "span:0af7651916cd43dd8448eb211c80319c/00f067aa0ba902b7",
    )


def test_a_generation_that_litellm_told_of_is_the_call_of_that_answer(project: Asking) -> None:
    [request] = loaded(project, generation("time-00-01-40-120000_chatcmpl-x1000000", metadata={}), provider="openai")

    assert request.request_key == "openai:chatcmpl-x1000000"
    assert request.identities == ("langfuse:time-00-01-40-120000_chatcmpl-x1000000", "response:chatcmpl-x1000000")


def test_the_id_of_the_answer_in_the_metadata_names_the_call(project: Asking) -> None:
    attributes = {"gen_ai.system": "anthropic", "gen_ai.response.id": "msg_01AbCdEfGhIjKl"}
    [request] = loaded(project, generation(metadata={"attributes": attributes}))

    assert (request.request_key, request.identities[-1]) == (
        "anthropic:msg_01AbCdEfGhIjKl",
        "response:msg_01AbCdEfGhIjKl",
    )


def test_without_a_provider_a_call_is_unpriced_and_the_option_states_one(project: Asking) -> None:
    nameless = generation(metadata=None)

    assert loaded(project, nameless)[0].provider is None
    assert loaded(project, nameless, provider="anthropic")[0].provider == "anthropic"


@pytest.mark.parametrize(("field", "agent"), [("userId", "agent-42"), ("name", "chat"), ("traceName", None)])
def test_the_agent_is_in_the_field_that_is_named(project: Asking, field: str, agent: str | None) -> None:
    assert loaded(project, generation(), agent=field)[0].agent == agent
    with pytest.raises(LoadError, match="the option agent must be one of userId, name, traceName, got 'x'"):
        project.load(agent="x")


def test_a_cost_of_zero_is_a_model_without_a_price(project: Asking) -> None:
    assert loaded(project, generation(totalCost=0))[0].estimated_usd is None


def test_a_generation_that_failed_is_an_error_of_unknown_use(project: Asking) -> None:
    [request] = loaded(project, generation(level="ERROR", usageDetails={}, totalCost=None))

    assert (request.status, request.output_tokens, request.estimated_usd) == ("error", None, None)


def test_other_observations_are_no_calls(project: Asking) -> None:
    listed = said(200, {"data": [generation(type="SPAN"), "x"], "meta": {"cursor": None}})
    project.stub.script = [listed]
    items = project.load()

    assert [type(item) for item in items[:2]] == [Ignored, Rejected]


def test_the_cursor_is_followed_to_the_end(project: Asking) -> None:
    stub(project).observations = [generation(f"obs-{number}") for number in range(7)]
    stub(project).most_per_page = 3

    assert len(requests(project.load())) == 7
    assert [query(asked).get("cursor") for asked in project.stub.asked] == [None, "3", "6"]
    assert len({query(asked)["fromStartTime"] for asked in project.stub.asked}) == 1


def test_a_cursor_that_leads_back_ends_the_load(project: Asking) -> None:
    page = said(200, {"data": [generation()], "meta": {"cursor": "a"}})
    project.stub.script = [page, page]

    with pytest.raises(LoadError, match="leads back to one that was read"):
        project.load()


@pytest.mark.parametrize("meta", [None, {"cursor": 7}, {"cursor": ""}])
def test_a_page_that_does_not_say_whether_there_is_more_is_asked_for_again(project: Asking, meta: object) -> None:
    project.stub.script = [said(200, {"data": [], "meta": meta})]

    assert len(requests(project.load())) == 1


def test_a_cost_that_becomes_known_later_is_read_again(project: Asking) -> None:
    begun = "2026-11-22T11:00:00Z"
    with new_store() as store:
        stub(project).observations = [generation(startTime=begun, endTime=None, usageDetails={}, totalCost=None)]
        run_load(store, "langfuse", project.stub.url, project.load(), now=NOW)
        before = store.read("SELECT output_tokens, estimated_usd FROM requests").rows
        project.time.at += timedelta(hours=1)
        stub(project).observations = [generation(startTime=begun, endTime="2026-11-22T11:00:09Z")]
        run_load(store, "langfuse", project.stub.url, project.load(), now=NOW)
        after = store.read("SELECT output_tokens, estimated_usd, cost_usd IS NOT NULL FROM requests").rows

    assert before == [(None, None)]
    assert after == [(500, Decimal("0.0043"), True)]
    assert query(project.stub.asked[-1])["fromStartTime"] == "2026-11-22T09:00:00.000000Z"


def test_a_generation_that_cannot_be_right_is_rejected_without_its_metadata(project: Asking) -> None:
    bad = generation("obs-2", usageDetails={"input": 5, "output": 5, "total": 99}, metadata={"note": "private"})
    stub(project).observations = [generation(), bad]
    items = project.load()

    [rejected] = [item for item in items if isinstance(item, Rejected)]
    assert rejected.reason.startswith("usageDetails (input 5, output 5) make 10, and the total beside them is 99")
    assert str(rejected.location).endswith("generations, page 1:2")
    assert rejected.session_id == "sess-7f3a"
    assert "private" not in rejected.raw
    assert len(requests(items)) == 1


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"input": 100, "output": 50, "total": 150}, Usage(Buckets(100, 0, 0, 0, 50))),
        ({"input": 100, "output": 50}, Usage(Buckets(100, 0, 0, 0, 50))),
        ({}, Usage(None)),
        # half a usage, which no total makes whole
        ({"input": 100}, Usage(None)),
        ({"output": 50}, Usage(None)),
        ({"input": 100, "output": 0}, Usage(Buckets(100, 0, 0, 0, 0))),
        ({"input": 0, "output": 0, "total": 0}, Usage(None)),
        # parts that contain no other
        (
            {"input": 20, "input_cached_tokens": 80, "output": 30, "output_reasoning_tokens": 20, "total": 150},
            Usage(Buckets(20, 80, 0, 0, 50)),
        ),
        ({"input": 1, "input_cache_creation_1h": 7, "total": 8}, Usage(Buckets(1, 0, 0, 7, 0))),
        # input and output that contain the others, as the total says
        (
            {"input": 100, "input_cached_tokens": 80, "output": 50, "output_reasoning_tokens": 20, "total": 150},
            Usage(Buckets(20, 80, 0, 0, 50)),
        ),
        ({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}, Usage(Buckets(100, 0, 0, 0, 50))),
        # kinds that have no price in a price line
        (
            {"input": 10, "input_audio_tokens": 90, "output": 5, "total": 105},
            Usage(Buckets(100, 0, 0, 0, 5), "input_audio_tokens"),
        ),
    ],
)
def test_the_total_says_whether_counts_contain_each_other(details: dict[str, object], expected: Usage) -> None:
    assert read_usage(details) == expected


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"total": 150}, "has a total of 150 and does not say of what"),
        (
            {"input": 100, "prompt_tokens": 100, "output": 50, "total": 150},
            "make 250, and the total beside them is 150",
        ),
        ({"input": 10, "input_cached_tokens": 80, "output": 5, "total": 15}, "80 tokens were read from the cache"),
        ({"seconds": 7, "total": 7}, "usageDetails.seconds is no count that is known"),
        ({"input": -1}, "usageDetails.input must be a whole number from 0 on"),
        ({"input": "many"}, "usageDetails.input must be a whole number from 0 on"),
    ],
)
def test_counts_that_do_not_add_up_are_refused(details: dict[str, object], reason: str) -> None:
    with pytest.raises(FieldError, match=reason):
        read_usage(details)
