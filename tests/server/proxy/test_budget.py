"""A call that a budget denies is not made; what no budget could say holds nobody up."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.server.proxy.answers import chat
from tests.server.proxy.conftest import Setting, until, whole_setting
from tests.server.proxy.stub import Asked, Pieces, Stub, document, served


def _said(decision: str) -> bytes:
    ends = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    line = {"budgetId": "daily", "member": None, "limitUsd": "5", "spentUsd": "5.02"}
    window = {"label": "2026-11-22", "endsAt": ends}
    answer = {"decision": decision, "reason": "LIMIT_REACHED", "budgetId": "daily", "member": None}
    return json.dumps({"data": {"mayISpend": {**answer, "lines": [{**line, "window": window}]}}}).encode()


@pytest.fixture(scope="module")
def budgeted(tmp_path_factory: pytest.TempPathFactory, loop: asyncio.AbstractEventLoop) -> Iterator[Setting]:
    folder = tmp_path_factory.mktemp("budgeted")
    with whole_setting(folder, loop, ask_budget=True, ask_usage=True, budget_deadline_ms=2_000) as made:
        made.provider.answer = lambda asked: document(chat())
        yield made


SHAPES = [
    ("/anthropic/v1/messages", lambda said: (said["type"], said["error"]["type"])),
    ("/openai/v1/responses", lambda said: (said["error"]["type"], said["error"]["code"])),
    ("/google/v1beta/models/m:generateContent", lambda said: (said["error"]["status"], said["error"]["code"])),
]
KINDS = [("error", "rate_limit_error"), ("rate_limit_error", "budget_exceeded"), ("RESOURCE_EXHAUSTED", 429)]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_call_over_the_budget_is_not_made_and_is_told_as_its_provider_would(budgeted: Setting, number: int) -> None:
    budgeted.intake.budget = _said("DENY")
    path, kind_of = SHAPES[number]
    before = len(budgeted.provider.asked)
    with budgeted.http() as client:
        came = client.post(path, content=b'{"model":"m"}')
    assert came.status_code == 429
    assert kind_of(came.json()) == KINDS[number]
    assert came.json()["error"]["message"] == (
        "clawback proxy: budget daily is used up: $5.02 of $5 in 2026-11-22 (LIMIT_REACHED)"
    )
    assert 7_100 < int(came.headers["retry-after"]) <= 7_201
    assert came.headers["x-should-retry"] == "false"
    assert len(budgeted.provider.asked) == before


def test_a_call_within_the_budget_goes_through_and_the_budget_knows_whose_it_is(budgeted: Setting) -> None:
    questions: list[Asked] = []
    answering = budgeted.intake.answer

    async def noted(asked: Asked) -> Pieces:
        if asked.target == "/graphql":
            questions.append(asked)
        async for piece in answering(asked):
            yield piece

    budgeted.intake.budget = _said("ALLOW")
    budgeted.server.answer = noted
    with budgeted.http() as client:
        headers = {"X-OpenClaw-Session-Id": "s", "X-OpenClaw-Agent-Id": "main", "X-OpenClaw-Trigger": "cron"}
        assert client.post("/openai/v1/responses", json={"model": "m"}, headers=headers).status_code == 200
    assert json.loads(questions[0].body)["variables"] == {
        "trigger": "CRON",
        "agent": "main",
        "model": "m",
        "session": "s",
    }


def test_a_budget_that_says_nothing_lets_calls_through_and_is_counted(budgeted: Setting) -> None:
    budgeted.intake.budget = None
    before = budgeted.proxy.counted("budget_answers_total", answer="none")
    with budgeted.http() as client:
        assert client.post("/openai/v1/responses", json={"model": "m"}).status_code == 200
    assert budgeted.proxy.counted("budget_answers_total", answer="none") == before + 1


def test_a_proxy_whose_token_may_not_ask_says_so_at_its_start_and_which_role_it_needs(
    tmp_path_factory: pytest.TempPathFactory, loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def without_the_role(asked: Asked) -> Pieces:
        async for piece in document(b'{"errors":[{"message":"Unknown type \'BudgetTrigger\'."}]}'):
            yield piece

    folder = tmp_path_factory.mktemp("no role")
    stub = Stub(without_the_role)
    with (
        served(stub, loop),
        whole_setting(folder, loop, server=stub.url, ask_budget=True) as made,
        made.http() as client,
    ):
        until(lambda: client.get("/health").json()["status"] == "DEGRADED")
        said = "the server answered 200: Unknown type 'BudgetTrigger'; a proxy that asks budgets needs a token with"
        assert client.get("/health").json()["budgets"] == f"{said} the role `router`"
        assert f"the budgets cannot be asked, and calls go through without being asked: {said}" in caplog.text


def test_a_budget_that_answers_a_byte_at_a_time_holds_nobody_up(
    tmp_path_factory: pytest.TempPathFactory, loop: asyncio.AbstractEventLoop
) -> None:
    async def dripping(asked: Asked) -> Pieces:
        if asked.target == "/graphql":
            yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
            while True:
                yield b" "
                await asyncio.sleep(0.05)

    folder = tmp_path_factory.mktemp("dripping")
    with whole_setting(folder, loop, ask_budget=True, budget_deadline_ms=300) as made, made.http() as client:
        made.provider.answer = lambda asked: document(chat())
        made.server.answer = dripping
        assert client.post("/openai/v1/responses", json={"model": "m"}).status_code == 200
        assert made.proxy.counted("budget_answers_total", answer="none") == 1
        made.server.answer = made.intake.answer


def test_a_list_of_models_asks_no_budget(budgeted: Setting) -> None:
    budgeted.intake.budget = _said("DENY")
    with budgeted.http() as client:
        assert client.get("/openai/v1/models").status_code == 200


def test_closed_means_that_a_call_waits_for_a_budget_that_can_be_asked(
    tmp_path_factory: pytest.TempPathFactory, loop: asyncio.AbstractEventLoop
) -> None:
    folder = tmp_path_factory.mktemp("closed")
    with whole_setting(folder, loop, ask_budget=True, budget_fails="closed") as made, made.http() as client:
        came = client.post("/openai/v1/responses", json={"model": "m"})
        assert (came.status_code, came.headers["retry-after"]) == (503, "5")
        assert made.provider.asked == []


CHATS = [
    (b' {"stream" : true, "n":1.0}', b' {"stream_options":{"include_usage":true},"stream" : true, "n":1.0}'),
    (b'{"stream":false}', b'{"stream":false}'),
    (b'{"stream":true,"stream_options":{"include_usage":false}}',) * 2,
    (b'[{"stream":true}]',) * 2,
]


@pytest.mark.parametrize(("sent", "arrived"), CHATS)
def test_usage_is_asked_for_in_chat_streams_that_do_not_say_otherwise(
    budgeted: Setting, sent: bytes, arrived: bytes
) -> None:
    budgeted.intake.budget = _said("ALLOW")
    with budgeted.http() as client:
        assert client.post("/openai/v1/chat/completions", content=sent).status_code == 200
    assert budgeted.provider.asked[-1].body == arrived


@pytest.mark.parametrize("path", ["/openai/v1/responses", "/anthropic/v1/messages"])
def test_usage_is_asked_for_in_chat_streams_alone(budgeted: Setting, path: str) -> None:
    budgeted.intake.budget = _said("ALLOW")
    with budgeted.http() as client:
        client.post(path, content=b'{"stream":true}')
    assert budgeted.provider.asked[-1].body == b'{"stream":true}'
