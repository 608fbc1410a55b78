"""Single generations, from the API and from the export of the log, meet the other records of their calls."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from loaders import openrouter
from loaders.item import Item, LoadError, Note, Parsed, Reached, Rejected
from loaders.job import run_load
from loaders.loader import Task
from loaders.openrouter import logs
from loaders.web import Clock
from store import Request
from tests.loaders.http_stub import NOW, Time
from tests.loaders.openrouter.stub import INFERENCE_KEY, OpenRouter, generation, refused
from tests.stores import new_store

GEN = "gen-1795046500-AAAAaaaaBBBBbbbbCCCC"
HEADER = (
    "generation_id,created_at,cost_total,cost_web_search,cost_cache,cost_file_processing,byok_usage_inference,"
    "tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,model_permaslug,provider_name,variant,cancelled,"
    "streamed,user,finish_reason_raw,finish_reason_normalized,generation_time_ms,time_to_first_token_ms,"
    "api_key_disabled,api_key_name,app_name"
)


def requests(items: list[Item | Note]) -> list[Request]:
    return [
        record for item in items if isinstance(item, Parsed) for record in item.records if isinstance(record, Request)
    ]


def buckets(request: Request) -> tuple[int | None, ...]:
    return (
        request.uncached_input_tokens,
        request.cache_read_tokens,
        request.cache_write_5m_tokens,
        request.cache_write_1h_tokens,
        request.output_tokens,
    )


def repaired(provider: OpenRouter, **changes: Any) -> Request:
    provider.generations[GEN] = generation(GEN, **changes)
    given = {"url": f"{provider.url}/api/v1", "generation": GEN}
    [request] = requests(list(openrouter.read(Task("acme", NOW, given, None, INFERENCE_KEY))))
    return request


def test_a_generation_is_its_call_with_what_was_charged(provider: OpenRouter) -> None:
    call = repaired(provider)

    assert (call.request_key, call.source, call.provider) == (f"openrouter:{GEN}", "openrouter", "openrouter")
    assert call.identities == (f"response:{GEN}",)  # the other id is too short to tell
    assert (call.billed_usd, call.session_id, call.agent) == (Decimal("0.0043"), "sess-7f3a", None)
    assert buckets(call) == (500, 12_000, 0, 0, 500)
    assert call.started_at == datetime(2026, 11, 19, 0, 1, 40, 120_000, UTC)
    assert call.ended_at == datetime(2026, 11, 19, 0, 1, 42, 530_000, UTC)


@pytest.mark.parametrize(
    ("changes", "billed"),
    [
        ({"is_byok": True, "total_cost": 0.007525, "upstream_inference_cost": 0.1505}, "0.158025"),
        ({"is_byok": True, "total_cost": 0.007525, "upstream_inference_cost": None}, None),
        ({"is_byok": False, "total_cost": 0.01, "upstream_inference_cost": 0.5}, "0.01"),
        ({"total_cost": 0}, "0"),
        ({"total_cost": None}, None),
    ],
    ids=["own key", "own key, not said", "not an own key", "free", "not said"],
)
def test_what_was_charged_is_the_fee_and_what_the_provider_took(
    provider: OpenRouter, changes: dict[str, Any], billed: str | None
) -> None:
    assert repaired(provider, **changes).billed_usd == (None if billed is None else Decimal(billed))


@pytest.mark.parametrize(
    ("changes", "tokens"),
    [
        ({"model": "anthropic/claude-4.5-haiku-20251001"}, None),
        ({"model": "anthropic/claude-4.5-haiku-20251001", "native_tokens_cached": 0}, None),
        (
            {"model": "anthropic/claude-4.5-haiku-20251001", "native_tokens_cached": 0, "cache_discount": None},
            (12_500, 0, 0, 0, 500),
        ),
        ({"native_tokens_prompt": None}, None),
    ],
    ids=["read from a cache", "written to one", "no cache", "not counted"],
)
def test_tokens_that_may_have_been_written_to_a_cache_are_left_to_other_records(
    provider: OpenRouter, changes: dict[str, Any], tokens: tuple[int, ...] | None
) -> None:
    assert buckets(repaired(provider, **changes)) == (tokens or (None,) * 5)


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"cancelled": True}, "aborted"), ({"finish_reason": "error"}, "error"), ({"finish_reason": None}, "ok")],
    ids=["cancelled", "error", "nothing said"],
)
def test_how_a_generation_ended(provider: OpenRouter, changes: dict[str, Any], status: str) -> None:
    assert repaired(provider, **changes).status == status


def test_a_generation_that_is_not_there_yet_is_looked_for_again(provider: OpenRouter, time: Time) -> None:
    provider.generations[GEN], provider.looks_needed = generation(GEN), 3

    [call] = requests(look(provider, time))

    assert call.request_key == f"openrouter:{GEN}"
    assert time.pauses == [1, 2]


def look(provider: OpenRouter, time: Time) -> list[Item | Note]:
    given = {"url": f"{provider.url}/api/v1", "generation": GEN, "agent": "user"}
    clock = Clock(now=time.now, sleep=time.sleep, chance=lambda: 1.0)
    return list(openrouter.read(Task("acme", NOW, given, "a cursor", INFERENCE_KEY), clock))


def test_one_that_is_never_there_costs_no_other_and_the_cursor_stays(provider: OpenRouter, time: Time) -> None:
    items = look(provider, time)

    assert [item.reason for item in items if isinstance(item, Rejected)] == [
        f"there is no generation {GEN} in this account; check the id"
    ]
    assert items[-1] == Reached("a cursor")
    assert time.pauses == [1, 2, 4]


def test_an_answer_about_another_generation_is_rejected(provider: OpenRouter, time: Time) -> None:
    provider.generations[GEN] = generation("gen-other")

    assert [item.reason for item in look(provider, time) if isinstance(item, Rejected)] == [
        f"id must be {GEN}, got 'gen-other'"
    ]


def test_a_user_may_be_the_agent(provider: OpenRouter, time: Time) -> None:
    provider.generations[GEN] = generation(GEN)

    assert [call.agent for call in requests(look(provider, time))] == ["agent-42"]


@pytest.mark.parametrize("names", ["msg_1", "gen-1/../../key", "gen-1?x=2", " ".join(f"gen-{n}" for n in range(501))])
def test_what_is_no_id_is_never_asked_for(names: str) -> None:
    with pytest.raises(LoadError, match="the option generation takes"):
        openrouter.read(Task("acme", NOW, {"generation": names}, None, INFERENCE_KEY))


def test_a_generation_that_is_refused_ends_the_load(provider: OpenRouter, time: Time) -> None:
    provider.script = [refused(401, "expired")]

    with pytest.raises(LoadError, match=r"Make a new one \(a key of the account\)"):
        look(provider, time)


def row(number: int = 1, **changes: str) -> str:
    values = dict.fromkeys(HEADER.split(","), "") | {
        "generation_id": f"gen-{number}",
        "created_at": "2026-11-19 00:01:40.120",
        "cost_total": "0.0043",
        "cost_cache": "-0.0107",
        "byok_usage_inference": "0",
        "tokens_prompt": "12500",
        "tokens_completion": "500",
        "tokens_cached": "12000",
        "model_permaslug": "openai/gpt-5.2-20251211",
        "cancelled": "false",
        "user": "agent-42",
        "finish_reason_normalized": "stop",
        "generation_time_ms": "2410",
        "api_key_name": "fleet-key",
        "app_name": "My Agents",
    }
    return ",".join((values | changes).values())


def exported(folder: Path, *rows: str, header: str = HEADER, **options: str) -> list[Item | Note]:
    path = folder / "openrouter_activity_2026-11-19.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return list(logs.read(Task(str(path), NOW, options)))


def test_a_row_of_the_export_is_a_call_in_utc(tmp_path: Path) -> None:
    [call] = requests(exported(tmp_path, row(), agent="api_key_name"))

    assert (call.request_key, call.source, call.agent) == ("openrouter:gen-1", "openrouter", "fleet-key")
    assert call.started_at == datetime(2026, 11, 19, 0, 1, 40, 120_000, UTC)
    assert (call.billed_usd, buckets(call)) == (Decimal("0.0043"), (500, 12_000, 0, 0, 500))
    assert (call.session_id, call.status, call.identities) == (None, "ok", ())


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"cost_total": "0.007525", "byok_usage_inference": "0.1505"}, "billed_usd", Decimal("0.158025")),
        ({"cost_total": ""}, "billed_usd", None),
        ({"cancelled": "true"}, "status", "aborted"),
        ({"finish_reason_normalized": "error"}, "status", "error"),
        ({"model_permaslug": "anthropic/claude-4.5-haiku-20251001"}, "output_tokens", None),
        ({"created_at": "2026-11-19T00:01:40Z"}, "started_at", datetime(2026, 11, 19, 0, 1, 40, tzinfo=UTC)),
    ],
    ids=["own key", "not charged yet", "cancelled", "error", "cache writes", "with a zone"],
)
def test_what_a_row_says(tmp_path: Path, changes: dict[str, str], field: str, value: object) -> None:
    [call] = requests(exported(tmp_path, row(1, **changes)))

    assert getattr(call, field) == value


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"created_at": "yesterday"}, "created_at must be an instant like"),
        ({"created_at": "2027-11-19 00:01:40"}, "created_at is in the future"),
        ({"cost_total": "-1"}, "cost_total must not be negative"),
        ({"tokens_prompt": "many"}, "tokens_prompt must be a whole number"),
        ({"generation_id": ""}, "generation_id must be text, got empty"),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected_and_costs_no_other(
    tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    items = exported(tmp_path, row(1), row(2, **changes), row(3))

    [rejected] = [item for item in items if isinstance(item, Rejected)]
    assert rejected.reason.startswith(reason)
    assert rejected.location.line == 3
    assert [call.request_key for call in requests(items)] == ["openrouter:gen-1", "openrouter:gen-3"]


def test_columns_may_be_added_and_moved(tmp_path: Path) -> None:
    header = "a_column_of_tomorrow,tokens_completion,tokens_prompt,cost_total,created_at,generation_id,model_permaslug"

    [call] = requests(exported(tmp_path, "x,5,10,0.5,2026-11-19 00:00:00,gen-9,openai/gpt-5.2", header=header))

    assert (call.billed_usd, buckets(call)) == (Decimal("0.5"), (10, 0, 0, 0, 5))


def test_another_csv_is_refused_with_the_column_that_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="there is no column 'generation_id'; the export of OpenRouter's log has"):
        exported(tmp_path, "1,2", header="date,usage")


def test_the_export_and_the_api_tell_of_one_call_once(provider: OpenRouter, tmp_path: Path, time: Time) -> None:
    provider.generations[GEN] = generation(GEN)
    with new_store() as store:
        rows = exported(tmp_path, row(generation_id=GEN), row(generation_id=GEN))
        report = run_load(store, "openrouter-logs", "log", iter(rows), now=NOW)
        assert (report.stored, report.ignored) == (1, 1)
        run_load(store, "openrouter", "acme", iter(look(provider, time)), now=NOW)
        stored = store.read("SELECT request_key, session_id, cost_usd, cost_status FROM requests").rows
    assert stored == [(f"openrouter:{GEN}", "sess-7f3a", Decimal("0.0043"), "BILLED")]
