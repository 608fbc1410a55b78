"""The spend logs of LiteLLM become requests; what they cost is an estimate, and what LiteLLM made up is no session."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from loaders.item import Ignored, Item, LoadError, Note, Parsed, Rejected
from loaders.job import run_load
from loaders.litellm.rows import CACHED, NO_MODEL, REFUSED
from loaders.web import ComeBackError
from store import Request
from tests.loaders.http_stub import NOW, Asked, Reply
from tests.loaders.litellm.stub import LiteLlm, row
from tests.loaders.scripted import query, said
from tests.loaders.services import Asking, asking
from tests.stores import new_store


@pytest.fixture
def proxy() -> Iterator[Asking]:
    with asking("litellm") as found:
        stub(found).rows = []
        yield found


def stub(proxy: Asking) -> LiteLlm:
    assert isinstance(proxy.stub, LiteLlm)
    return proxy.stub


def requests(items: list[Item | Note]) -> list[Request]:
    return [record for item in items if isinstance(item, Parsed) for record in item.records if type(record) is Request]


def loaded(proxy: Asking, *rows: dict[str, Any], **options: str) -> list[Request]:
    stub(proxy).rows = list(rows)
    return requests(proxy.load(anew=True, since="2026-11-18", **options))


def other(proxy: Asking, *rows: dict[str, Any]) -> list[str]:
    """The rules and reasons of the rows that are no requests."""
    stub(proxy).rows = list(rows)
    return [
        item.rule if isinstance(item, Ignored) else item.reason
        for item in proxy.load(anew=True, since="2026-11-18")
        if isinstance(item, Ignored | Rejected)
    ]


def test_a_row_is_a_request_whose_prompt_contains_what_was_cached(proxy: Asking) -> None:
    assert loaded(proxy, row()) == [
        Request(
            request_key="openai:chatcmpl-x1",
            source="litellm",
            session_id="sess-7f3a",
            provider="openai",
            model="gpt-5.2",
            started_at=datetime(2026, 11, 19, 0, 1, 40, 120000, UTC),
            ended_at=datetime(2026, 11, 19, 0, 1, 44, tzinfo=UTC),
            uncached_input_tokens=20_000,
            cache_read_tokens=180_000,
            cache_write_5m_tokens=0,
            cache_write_1h_tokens=0,
            output_tokens=6_000,
            estimated_usd=Decimal("0.1505"),
            identities=("litellm:call-chatcmpl-x1",),
        )
    ]


def test_the_estimate_of_litellm_is_never_the_cost(proxy: Asking) -> None:
    stub(proxy).rows = [row(spend=99.5)]
    with new_store() as store:
        run_load(store, "litellm", proxy.stub.url, proxy.load(), now=NOW)
        [(cost, status, estimate)] = store.read("SELECT cost_usd, cost_status, estimated_usd FROM requests").rows

    # 20,000 x 1.75 + 180,000 x 0.175 + 6,000 x 14 USD per million
    assert (cost, status, estimate) == (Decimal("0.1505"), "PRICED", Decimal("99.5"))


def test_a_model_without_a_price_at_litellm_has_no_estimate_of_zero(proxy: Asking) -> None:
    [request] = loaded(proxy, row(spend=0.0))

    assert request.estimated_usd is None


@pytest.mark.parametrize(
    ("made_up", "stated"),
    [
        ("6a1f8f3e-54c0-4d1b-9a70-4f2a8de01b33", None),  # version 4: as LiteLLM makes it up for each call
        ("0af7651916cd43dd8448eb211c80319c", None),  # a trace
        ("call-chatcmpl-x1", None),
        ("chatcmpl-x1", None),
        ("", None),
        ("6a1f8f3e-54c0-1d1b-9a70-4f2a8de01b33", "6a1f8f3e-54c0-1d1b-9a70-4f2a8de01b33"),
        ("agent:main:7", "agent:main:7"),
    ],
)
def test_a_session_that_litellm_may_have_made_up_is_unknown(proxy: Asking, made_up: str, stated: str | None) -> None:
    [request] = loaded(proxy, row(session_id=made_up))

    assert request.session_id == stated


def test_where_the_proxy_makes_up_none_every_session_counts(proxy: Asking) -> None:
    session = "6a1f8f3e-54c0-4d1b-9a70-4f2a8de01b33"

    assert loaded(proxy, row(session_id=session), sessions="given")[0].session_id == session
    assert loaded(proxy, row(), sessions="none")[0].session_id is None
    with pytest.raises(LoadError, match="the option sessions must be one of telling, given, none, got 'all'"):
        proxy.load(sessions="all")


@pytest.mark.parametrize(
    ("field", "agent"), [("agent_id", None), ("end_user", "agent-42"), ("user", "u1"), ("key_alias", "fleet")]
)
def test_the_agent_is_in_the_field_that_is_named(proxy: Asking, field: str, agent: str | None) -> None:
    assert loaded(proxy, row(), agent=field)[0].agent == agent


def test_an_answer_from_the_cache_of_litellm_called_no_model(proxy: Asking) -> None:
    hits = [row("chatcmpl-x1_cache_hit1795046500.12", spend=0.0), row("chatcmpl-x2", cache_hit="True", spend=0.0)]

    assert other(proxy, *hits) == [CACHED, CACHED]


def failure(code: str | None, **changes: Any) -> dict[str, Any]:
    empty = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "spend": 0.0, "status": "failure"}
    metadata = {"status": "failure", "error_information": {"error_code": code, "error_class": "APIError"}}
    return row("call-9", **(empty | {"metadata": metadata, "litellm_call_id": "call-9"} | changes))


def test_a_failure_that_was_refused_cost_nothing_and_one_that_was_not_is_of_unknown_cost(proxy: Asking) -> None:
    assert other(proxy, failure("429")) == [REFUSED]
    [request] = loaded(proxy, failure("408"))

    assert (request.status, request.output_tokens, request.estimated_usd) == ("error", None, None)
    assert (request.request_key, request.identities) == ("litellm:call-9", ("litellm:call-9",))


def test_an_id_that_two_answers_may_share_names_no_call(proxy: Asking) -> None:
    [request] = loaded(proxy, row("chatcmpl-12", litellm_call_id="9d3c"))

    assert (request.request_key, request.identities) == ("litellm:9d3c", ("litellm:9d3c",))


def test_a_stream_that_broke_off_has_what_it_used(proxy: Asking) -> None:
    broken = failure("500", prompt_tokens=100, completion_tokens=7, total_tokens=107, spend=0.01, metadata={})
    [request] = loaded(proxy, broken)

    assert (request.status, request.uncached_input_tokens, request.output_tokens) == ("error", 100, 7)


def test_a_row_that_called_no_model_is_no_request(proxy: Asking) -> None:
    nothing: dict[str, Any] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "spend": 0}

    assert other(proxy, row(call_type="afile_content", **nothing)) == [NO_MODEL]
    [request] = loaded(proxy, row(call_type="aspeech", **nothing))
    assert request.output_tokens is None


def test_a_time_without_a_zone_is_in_utc_as_litellm_keeps_it(proxy: Asking) -> None:
    [request] = loaded(proxy, row(startTime="2026-11-19 00:01:40.120000"))

    assert request.started_at == datetime(2026, 11, 19, 0, 1, 40, 120000, UTC)


def test_a_sign_in_of_the_caller_is_covered_by_his_plan(proxy: Asking) -> None:
    [request] = loaded(proxy, row(metadata={"used_client_oauth_token": True}))

    assert request.is_included


def test_cache_writes_are_within_the_prompt_for_anthropic_too(proxy: Asking) -> None:
    details = {"cached_tokens": 12_000, "cache_creation_tokens": 400, "audio_tokens": None}
    usage = {"prompt_tokens_details": details, "cache_read_input_tokens": 12_000, "cache_creation_input_tokens": 400}
    counts: dict[str, Any] = {"prompt_tokens": 12_500, "completion_tokens": 500, "total_tokens": 13_000}
    [request] = loaded(
        proxy,
        row(
            **counts, custom_llm_provider="anthropic", model="anthropic/claude-x", metadata={"usage_object": usage}
        ),
    )  # fmt: skip

    assert (request.uncached_input_tokens, request.cache_read_tokens, request.cache_write_5m_tokens) == (
        100,
        12_000,
        400,
    )
    assert request.model == "claude-x"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"total_tokens": 999}, "usage.total_tokens is 999, but its parts make 206,000"),
        ({"prompt_tokens": -5}, "prompt_tokens must be a whole number from 0 on"),
        ({"endTime": "yesterday"}, "endTime must be an instant like"),
        ({"spend": "much"}, "spend must be a plain amount in USD"),
        ({"request_id": None}, "request_id must be text"),
        ({"metadata": "{"}, "is not JSON"),
        (
            {"metadata": {"additional_usage_values": {"cache_read_input_tokens": 200_001}}},
            "usage says that 200,001 tokens were read from the cache",
        ),
    ],
)
def test_a_row_that_cannot_be_right_is_rejected_with_its_place_and_session(
    proxy: Asking, changes: dict[str, Any], reason: str
) -> None:
    stub(proxy).rows = [row() | changes, row("chatcmpl-x2")]
    items = proxy.load()

    [rejected] = [item for item in items if isinstance(item, Rejected)]
    assert reason in rejected.reason
    assert "spend logs of 2026-11-18 12:00, page 1:" in str(rejected.location)
    assert rejected.session_id == "sess-7f3a"
    assert "88dc28d0f030c55e" not in rejected.raw, "not even the digest of a key"
    assert len(requests(items)) == 1


def test_rows_without_an_id_are_each_rejected_and_none_is_taken_for_another_again(proxy: Asking) -> None:
    stub(proxy).rows = [row() | {"request_id": None}, row() | {"request_id": None}]
    assert len([item for item in proxy.load() if isinstance(item, Rejected)]) == 2


def many(count: int, start: str = "2026-11-19T00:00:00+00:00") -> list[dict[str, Any]]:
    begun = datetime.fromisoformat(start)
    return [
        row(f"c{number}", startTime=(begun + timedelta(seconds=number)).isoformat(), endTime=None)
        for number in range(count)
    ]


def test_pages_are_read_to_a_short_one_whatever_is_counted(proxy: Asking) -> None:
    stub(proxy).rows, stub(proxy).most_counted = many(2_500), 1_000

    assert len(requests(proxy.load(since="2026-11-19"))) == 2_500
    of_the_day = [query(asked) for asked in proxy.stub.asked if "2026-11-19+00" in asked.path.partition("&end")[0]]
    assert [asked["page"] for asked in of_the_day] == ["1", "2", "3"]
    assert {(asked["sort_by"], asked["sort_order"]) for asked in of_the_day} == {("startTime", "asc")}


def test_a_page_that_repeats_for_ever_ends_the_load(proxy: Asking) -> None:
    stub(proxy).rows = many(1_000)
    first = stub(proxy).usual

    def always_the_first(asked: Asked) -> Reply:
        return first(Asked(asked.method, asked.path.replace("page=2", "page=1"), asked.headers, b""))

    proxy.stub.script = [lambda _: None, always_the_first]
    with pytest.raises(LoadError, match="page 2 of the spend logs repeats the pages before it"):
        proxy.load(since="2026-11-19")


def test_rows_that_moved_between_pages_are_noticed(proxy: Asking) -> None:
    stub(proxy).rows = many(1_500)

    def moved(asked: Asked) -> None:
        del stub(proxy).rows[:100]
        stub(proxy).rows += many(100, "2026-11-19T08:00:00+00:00")

    proxy.stub.script = [lambda _: None, moved]
    with pytest.raises(ComeBackError, match="counts 1,500 rows and has listed 1,400"):
        proxy.load(since="2026-11-19")


def test_a_call_at_the_very_end_of_a_window_is_neither_missed_nor_doubled(proxy: Asking) -> None:
    ends = ["2026-11-20T23:59:59.999000+00:00", "2026-11-21T00:00:00+00:00", "2026-11-21T00:00:00.001000+00:00"]
    stub(proxy).rows = [row(f"c{number}", startTime=at, endTime=None) for number, at in enumerate(ends)]

    assert [request.request_key for request in requests(proxy.load(since="2026-11-20"))] == [
        "openai:c0",
        "openai:c1",
        "openai:c2",
    ]


def test_the_next_load_begins_three_hours_before_the_last_one_ended(proxy: Asking) -> None:
    proxy.load()
    proxy.time.at += timedelta(hours=1, milliseconds=5)
    proxy.stub.asked.clear()
    late = row("chatcmpl-late", startTime="2026-11-22T09:30:00+00:00", endTime="2026-11-22T11:59:00+00:00")
    stub(proxy).rows = [late]

    assert [request.request_key for request in requests(proxy.load())] == ["openai:chatcmpl-late"]
    [asked] = [query(asked) for asked in proxy.stub.asked]
    assert (asked["start_date"], asked["end_date"]) == ("2026-11-22 09:00:00", "2026-11-22 13:00:01")


def test_a_row_that_is_restated_replaces_what_it_said(proxy: Asking) -> None:
    begun = "2026-11-22T11:00:00Z"
    with new_store() as store:
        stub(proxy).rows = [failure("500", startTime=begun)]
        run_load(store, "litellm", proxy.stub.url, proxy.load(), now=NOW)
        stub(proxy).rows = [row("call-9", startTime=begun, litellm_call_id="call-9")]
        run_load(store, "litellm", proxy.stub.url, proxy.load(), now=NOW)

        assert store.read("SELECT output_tokens, estimated_usd FROM requests").rows == [(6_000, Decimal("0.1505"))]


def test_an_hour_of_refusals_is_told_with_the_time_to_come_back(proxy: Asking) -> None:
    proxy.stub.script = [lambda _: None, said(429, {"error": {"message": "Rate limit"}}, Retry_After="3600")]

    with pytest.raises(ComeBackError, match="load again at 2026-11-22T13:00:01Z or later"):
        proxy.load()
