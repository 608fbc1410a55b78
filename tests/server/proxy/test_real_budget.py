"""The breaker of a real server stops the real clients of an agent that has spent its budget, and nobody else."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anthropic
import httpx2
import openai
import pytest

from semantic import Catalog
from server.access.gate import Gate
from server.access.given import GivenTokens
from server.access.principal import OPERATOR
from server.alerts.actions import Actions
from server.alerts.watch import Watch
from server.app import create_app
from server.budgets import Breakers
from server.cli.notice import announced
from server.connections import bounded_http
from server.intake.making import intake_of
from server.jobs import Jobs
from server.settings import Settings
from store import Store
from store.ledger import Ledger
from store.tokens import Tokens
from tests.server.conftest import Run
from tests.server.proxy.conftest import Setting, until, whole_setting
from tests.server.proxy.numbered import Expected, provider
from tests.serving import running

FILE = """budgets:
  - budget_id: each-agent
    limit_usd: {limit}
    scope: agent
    action: block
"""
SPENT = Expected(2).cost_usd


@dataclass
class Breaker:
    """A server that its owner runs, whose clock a test may set."""

    url: str
    ahead: timedelta = field(default_factory=timedelta)
    stop: Callable[[], object] = lambda: None

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@contextmanager
def breaking(catalog: Catalog, path: Path) -> Iterator[Breaker]:
    made = Breaker("")
    settings = Settings(store=path, otlp_port=0, daily_budget_usd=None)
    with ExitStack() as going_on:
        store = going_on.enter_context(Store.open(path))
        tokens, ledger = (going_on.enter_context(each.beside(path)) for each in (Tokens, Ledger))
        assert isinstance(tokens, Tokens)
        assert isinstance(ledger, Ledger)
        gate = Gate(OPERATOR, "the key", GivenTokens(tokens, made.clock))
        breakers = Breakers(store, ledger)
        watch = Watch(Actions.of(settings, breakers, made.clock), made.clock, store.data_version, 60)
        parts = (Jobs(store, made.clock, 60, ()), "the key", breakers, watch)
        intake = intake_of(settings, store, made.clock)
        app = create_app(store, catalog, settings, made.clock, "one", *parts, gate=gate, intake=intake)
        made.url = going_on.enter_context(running(app, bounded_http(settings)))
        going_on.enter_context(announced(path, made.url, "one", "the key"))
        made.stop = going_on.close
        yield made


@dataclass
class Asking:
    """The real clients, which try twice more where they are let."""

    setting: Setting

    def chat(self, number: int, agent: str) -> str:
        with openai.OpenAI(base_url=f"{self.setting.proxy.url}/openai/v1", api_key="sk-test", max_retries=2) as client:
            came = client.chat.completions.create(
                model="gpt-4o",
                messages=[{"role": "user", "content": f"call {number}"}],
                extra_headers={"X-OpenClaw-Agent-Id": agent},
            )
        return came.id

    def message(self, number: int, agent: str) -> str:
        url = f"{self.setting.proxy.url}/anthropic"
        with anthropic.Anthropic(base_url=url, api_key="sk-ant-test", max_retries=2) as client:
            came = client.messages.create(
                model="claude-haiku-4-5",
                max_tokens=9,
                messages=[{"role": "user", "content": f"call {number}"}],
                extra_headers={"X-OpenClaw-Agent-Id": agent},
            )
        return came.id

    def answers(self, kind: str) -> float:
        return self.setting.proxy.counted("budget_answers_total", answer=kind)

    def is_refused(self, agent: str) -> bool:
        try:
            self.chat(2, agent)
        except openai.RateLimitError:
            return True
        return False


def test_an_agent_over_its_budget_is_stopped_until_the_budget_is_raised_or_its_window_ends(
    catalog: Catalog, run: Run, tmp_path: Path, loop: asyncio.AbstractEventLoop
) -> None:
    file = tmp_path / "budgets.yaml"
    file.write_text(FILE.format(limit=SPENT))
    assert run("load", "budgets", "budgets.yaml").code == 0
    with breaking(catalog, tmp_path / "store.duckdb") as server:
        token = run("token", "create", "proxy", "--role", "ingest", "--role", "router").out.strip()
        _await_token(server, token)
        given = {"server": server.url, "server_token": token, "ask_budget": True, "budget_deadline_ms": 20_000}
        with whole_setting(tmp_path, loop, **given) as setting:
            setting.provider.answer = provider
            asking = Asking(setting)

            # The first call is within the limit, reaches it, and is stored.
            assert asking.chat(2, "spender") == "chatcmpl-x000002"
            until(lambda: _decision(server, token, "spender") == "DENY")

            made, denied = len(setting.provider.asked), asking.answers("deny")
            with pytest.raises(openai.RateLimitError) as refused:
                asking.chat(4, "spender")
            assert refused.value.code == "budget_exceeded"
            day = f"{datetime.now(UTC):%Y-%m-%d}"
            words = f"budget each-agent of spender is used up: ${SPENT} of ${SPENT} in {day} (LIMIT_REACHED)"
            assert f"clawback proxy: {words}" in str(refused.value)
            with pytest.raises(anthropic.RateLimitError, match="each-agent of spender is used up") as stopped:
                asking.message(5, "spender")
            assert stopped.value.type == "rate_limit_error"
            # Nobody asked the provider, and no client has tried again.
            assert (len(setting.provider.asked), asking.answers("deny")) == (made, denied + 2)
            assert asking.message(7, "other") == "msg_x000007"

            # The next day has a limit of its own.
            server.ahead = timedelta(days=1)
            assert not asking.is_refused("spender")
            server.ahead = timedelta()
            assert asking.is_refused("spender")

            # Raised: the owner loads the file again, while the server runs.
            file.write_text(FILE.format(limit=5))
            assert run("load", "budgets", "budgets.yaml").code == 0
            until(lambda: not asking.is_refused("spender"))

            # A server that is gone stops nobody, and the proxy says so.
            server.stop()
            assert asking.chat(10, "spender") == "chatcmpl-x000010"
            assert asking.answers("none") == 1
            with setting.http() as client:
                said = client.get("/health").json()
            assert (said["status"], said["budgets"]) == ("DEGRADED", "no answer within 20000 ms (ConnectError)")


def _await_token(server: Breaker, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    with httpx2.Client(trust_env=False, timeout=60) as client:
        until(lambda: client.post(f"{server.url}/v1/calls", headers=headers).status_code == 200)


def _decision(server: Breaker, token: str, agent: str) -> str:
    asked = {"query": f'{{ mayISpend(trigger: UNKNOWN, agent: "{agent}") {{ decision }} }}'}
    headers = {"Authorization": f"Bearer {token}"}
    said = httpx2.post(f"{server.url}/graphql", json=asked, headers=headers, trust_env=False, timeout=60).json()
    return str(said["data"]["mayISpend"]["decision"])
