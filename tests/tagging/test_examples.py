"""The ten lines that tag a call, in the real clients against a stub provider: each call has the tags of its session."""

import asyncio
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import anthropic
import openai
import pytest
from opentelemetry.sdk.trace import TracerProvider

from examples.tagging import one_call, tagging, traced
from tests.loaders.http_stub import Asked, Reply, served

EXAMPLES = Path(__file__).parents[2] / "examples/tagging"
SESSION, AGENT = "x-openclaw-session-id", "x-openclaw-agent-id"
USAGE = {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}


class Provider:
    """Answers every kind of call, and keeps what was asked by the text of its prompt."""

    def __init__(self) -> None:
        self.asked: dict[str, Asked] = {}
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Reply:
        body = json.loads(asked.body)
        prompt = body.get("input") or body["messages"][0]["content"]
        with self._lock:
            self.asked[prompt] = asked
        return Reply(200, json.dumps(self._said(asked.path, body)).encode(), {"Content-Type": "application/json"})

    @staticmethod
    def _said(path: str, body: dict[str, object]) -> dict[str, object]:
        if path.endswith("/responses"):
            text = {"type": "output_text", "text": "yes", "annotations": []}
            message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]}
            return {"id": "resp_1", "object": "response", "created_at": 1, "model": body["model"], "output": [message]}
        if path.endswith("/messages"):
            block = {"type": "text", "text": "yes"}
            return {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": [block]}
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}
        return {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice]}

    def tags(self, prompt: str) -> tuple[str | None, str | None]:
        headers = self.asked[prompt].headers
        return headers.get(SESSION), headers.get(AGENT)


@pytest.fixture
def provider() -> Iterator[tuple[Provider, str]]:
    made = Provider()
    with served(made.answer) as url:
        yield made, url


@contextmanager
def tagged_openai(url: str) -> Iterator[openai.OpenAI]:
    http = openai.DefaultHttpxClient(event_hooks=tagging.HOOKS)
    with openai.OpenAI(base_url=f"{url}/v1", api_key="sk-test", max_retries=0, http_client=http) as client:
        yield client


def test_threads_that_call_at_once_have_each_their_own_session(provider: tuple[Provider, str]) -> None:
    made, url = provider

    def run(number: int) -> None:
        with tagging.session(f"run-{number}", agent=f"agent-{number % 2}"):
            client.responses.create(model="gpt-5.2", input=f"prompt {number}")

    with tagged_openai(url) as client, ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(16)))
        client.responses.create(model="gpt-5.2", input="outside")
    assert [made.tags(f"prompt {n}") for n in range(16)] == [(f"run-{n}", f"agent-{n % 2}") for n in range(16)]
    assert made.tags("outside") == (None, None)


def test_a_session_inside_another_replaces_it_until_it_ends(provider: tuple[Provider, str]) -> None:
    made, url = provider
    http = anthropic.DefaultHttpxClient(event_hooks=tagging.HOOKS)
    with anthropic.Anthropic(base_url=url, api_key="sk-ant-test", max_retries=0, http_client=http) as client:

        def say(text: str) -> None:
            client.messages.create(model="claude", max_tokens=9, messages=[{"role": "user", "content": text}])

        with tagging.session("outer", agent="main"):
            with tagging.session("inner"):
                say("first")
            say("second")
    assert made.tags("first") == ("inner", None)
    assert made.tags("second") == ("outer", "main")


def test_tasks_of_an_asynchronous_client_have_each_their_own_session(provider: tuple[Provider, str]) -> None:
    made, url = provider

    async def run(client: openai.AsyncOpenAI, number: int) -> None:
        with tagging.session(f"task-{number}"):
            await client.responses.create(model="gpt-5.2", input=f"prompt {number}")

    async def everything() -> None:
        http = openai.DefaultAsyncHttpxClient(event_hooks=tagging.ASYNC_HOOKS)
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="sk-test", http_client=http) as client:
            await asyncio.gather(*(run(client, number) for number in range(8)))

    asyncio.run(everything())
    assert [made.tags(f"prompt {n}")[0] for n in range(8)] == [f"task-{n}" for n in range(8)]


def test_one_call_says_its_session_and_one_client_its_agent(provider: tuple[Provider, str]) -> None:
    made, url = provider
    with openai.OpenAI(base_url=f"{url}/v1", api_key="sk-test") as client:
        assert one_call.with_one_call(client, "gpt-5.2", "one", "run-1") == "yes"
        assert one_call.over_openrouter(client, "anthropic/claude-sonnet-4.6", "routed", "run-2") == "yes"
    with one_call.for_one_agent(url, "scout") as other:
        other = other.with_options(max_retries=0).copy(api_key="sk-ant-test")
        other.messages.create(model="claude", max_tokens=9, messages=[{"role": "user", "content": "two"}])
    assert (made.tags("one"), made.tags("two")) == (("run-1", None), (None, "scout"))
    assert json.loads(made.asked["routed"].body)["session_id"] == "run-2"


def test_a_call_names_the_span_that_it_is_made_in(provider: tuple[Provider, str]) -> None:
    made, url = provider
    tracer = TracerProvider().get_tracer("test")
    http = openai.DefaultHttpxClient(event_hooks=traced.HOOKS)
    with openai.OpenAI(base_url=f"{url}/v1", api_key="sk-test", http_client=http) as client:
        with tracer.start_as_current_span("chat gpt-5.2") as span:
            client.responses.create(model="gpt-5.2", input="inside")
        client.responses.create(model="gpt-5.2", input="outside")
    known = span.get_span_context()
    assert made.asked["inside"].headers["traceparent"][:-2] == f"00-{known.trace_id:032x}-{known.span_id:016x}-"
    assert "traceparent" not in made.asked["outside"].headers


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_fetch_is_tagged_over_every_await(provider: tuple[Provider, str]) -> None:
    made, url = provider
    program = f"""
        import {{ session, tagged }} from {json.dumps((EXAMPLES / "tagging.mjs").as_uri())};
        const send = tagged();
        const call = async (input) => {{
          await new Promise((done) => setImmediate(done));
          await send("{url}/v1/responses", {{
            method: "POST", headers: {{ authorization: "Bearer sk" }}, body: JSON.stringify({{ model: "m", input }}),
          }});
        }};
        await Promise.all([1, 2, 3].map((n) => session({{ id: `run-${{n}}`, agent: n > 1 ? "scout" : undefined }},
          () => call(`prompt ${{n}}`))));
        await call("outside");
        const request = new Request("{url}/v1/responses", {{ method: "POST", headers: {{ "x-kept": "1" }},
          body: JSON.stringify({{ model: "m", input: "request" }}) }});
        await session({{ id: "run-9" }}, () => send(request));
    """
    subprocess.run(["node", "--input-type=module", "-e", program], check=True, timeout=60)
    assert [made.tags(f"prompt {n}") for n in (1, 2, 3)] == [("run-1", None), ("run-2", "scout"), ("run-3", "scout")]
    assert made.asked["prompt 1"].headers["authorization"] == "Bearer sk"
    assert made.tags("outside") == (None, None)
    assert (made.tags("request")[0], made.asked["request"].headers["x-kept"]) == ("run-9", "1")


def test_the_fallback_of_openclaw_names_agents_and_no_session() -> None:
    config = json.loads((EXAMPLES / "openclaw.json").read_text())
    headers = {name: provider["headers"] for name, provider in config["models"]["providers"].items()}
    assert headers == {
        "anthropic-scout": {"X-OpenClaw-Agent-Id": "scout"},
        "anthropic-main": {"X-OpenClaw-Agent-Id": "main"},
    }
    for agent in config["agents"]["list"]:
        provider, model = agent["model"].split("/")
        assert headers[provider]["X-OpenClaw-Agent-Id"] == agent["id"]
        assert model in {known["id"] for known in config["models"]["providers"][provider]["models"]}
