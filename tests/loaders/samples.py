"""A sample of every source, for what all loaders must hold: whole, in two halves, and with a bad record in the middle.

A sample is made of units (a row, a transcript, a billing period) of which any choice is a source that could be.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.loaders.github.stub import TOKEN, GitHub, merged, named, served

_HUB = GitHub()
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    loader: str
    units: Sequence[str]
    write: Callable[[Path, Sequence[str]], Path | str]
    """Writes units into an empty folder; gives the location to load."""
    bad: str
    """A unit that nobody can read, or one with a part that nobody can."""
    options: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    """Other files that are there: name -> text. An option `@name` is the path of one."""
    serve: Callable[[Sequence[str]], AbstractContextManager[str]] | None = None
    """For a source that is an API: serves units, gives the address for the option `url`."""
    token: str | None = None
    name: str = ""
    """Where a loader has several samples."""

    @property
    def title(self) -> str:
        return self.name or self.loader


def rows(name: str, header: str = "") -> Callable[[Path, Sequence[str]], Path]:
    """Units that are lines of one file."""

    def write(folder: Path, units: Sequence[str]) -> Path:
        path = folder / name
        path.write_text("\n".join([header, *units] if header else units) + "\n")
        return path

    return write


def files(place: str) -> Callable[[Path, Sequence[str]], Path]:
    """Units that are files, `<name>` and their text behind a first line; `place` is the folder that is loaded."""

    def write(folder: Path, units: Sequence[str]) -> Path:
        (folder / place).mkdir(parents=True, exist_ok=True)
        for unit in units:
            name, _, text = unit.partition("\n")
            path = folder / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder / place

    return write


def _openclaw(number: int) -> str:
    """A transcript of one session with two calls, of which the second is the same in every other session: a copy."""
    session = f"00000000-0000-4000-8000-{number:012d}"
    header = {"type": "session", "version": 3, "id": session, "timestamp": f"2026-03-0{number}T09:00:00.000Z"}
    lines = [header, *(_answer(name, day) for name, day in ((f"own{number}", number), ("copied", 1)))]
    return f"agents/main/sessions/{session}.jsonl\n" + "".join(json.dumps(line) + "\n" for line in lines)


def _answer(name: str, day: int) -> dict[str, object]:
    usage = {"input": 10 * day, "output": 5, "cacheRead": 100, "cacheWrite": 7, "totalTokens": 112 + 10 * day}
    message = {
        "role": "assistant",
        "api": "anthropic-messages",
        "provider": "anthropic",
        "model": "claude-demo",
        "responseId": f"msg_{name}",
        "usage": usage,
        "stopReason": "stop",
        "timestamp": 1772355600000,
    }
    return {"type": "message", "id": name, "timestamp": f"2026-03-0{day}T09:00:05.000Z", "message": message}


def _claude_code(number: int) -> str:
    session = f"00000000-0000-4000-9000-{number:012d}"
    usage = {"input_tokens": number, "output_tokens": 5, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 4}

    def line(message_id: str, output: int) -> str:
        message = {
            "id": message_id,
            "model": "claude-demo",
            "role": "assistant",
            "usage": usage | {"output_tokens": output},
        }
        at = f"2026-03-0{number}T10:00:00.000Z"
        return json.dumps(
            {"type": "assistant", "sessionId": session, "timestamp": at, "requestId": "r", "message": message}
        )

    streamed = [line(f"msg_{number}", 1), line(f"msg_{number}", 9)]
    return f"project/{session}.jsonl\n" + "\n".join(streamed) + "\n"


def _response(number: int) -> str:
    usage = {"input_tokens": number, "cache_read_input_tokens": 7, "output_tokens": 5}
    response = {"id": f"msg_response_{number}", "model": "claude-demo", "usage": usage}
    at = f"2026-03-0{number}T11:00:00Z"
    return json.dumps({"provider": "anthropic", "at": at, "session_id": "s1", "response": response})


def _call(number: int) -> str:
    """As the proxy spools it; every second one is without a usage."""
    usage = {"usage": {"prompt_tokens": number, "completion_tokens": 5}} if number % 2 else {"usage": None}
    line = {
        "call": f"c{number}",
        "provider": "openai",
        "at": f"2026-03-0{number}T12:00:00Z",
        "session_id": "s1",
        "response": {"id": f"chatcmpl-a{number}", "model": "gpt-demo", **usage},
        "identities": [f"call:c{number}", f"response:chatcmpl-a{number}"],
    }
    return json.dumps(line)


def _codex(number: int) -> str:
    """A rollout with two calls, told by a running count that is written twice."""
    day = f"2026-03-0{number}"
    session, turn = f"0199aaaa-0000-7000-8000-{number:012d}", f"0199bbbb-0000-7000-8000-{number:012d}"
    one, both = ({"input_tokens": n, "cached_input_tokens": 10, "output_tokens": 5} for n in (100, 250))
    counts = [{"total_token_usage": one, "last_token_usage": one}, {"total_token_usage": both, "last_token_usage": one}]
    payloads = [
        ("session_meta", {"id": session, "timestamp": f"{day}T09:00:00Z", "source": "cli", "model_provider": "openai"}),
        ("turn_context", {"turn_id": turn, "model": "gpt-demo"}),
        *(("event_msg", {"type": "token_count", "info": info}) for info in (counts[0], counts[0], counts[1])),
    ]
    lines = [
        json.dumps({"timestamp": f"{day}T09:00:0{n}Z", "type": t, "payload": p}) for n, (t, p) in enumerate(payloads)
    ]
    return f"2026/03/0{number}/rollout-{day}T09-00-00-{session}.jsonl\n" + "\n".join(lines) + "\n"


def _run(number: int) -> str:
    """What the command line prints of a run; those of an odd number are of one session."""
    session = f"20000000-0000-4000-8000-{number % 2:012d}"
    usage = {"input": number, "output": 5, "cacheRead": 7, "cacheWrite": 1, "total": 9}
    account = {"sessionId": session, "provider": "anthropic", "model": "claude-demo", "usage": usage}
    at = f"2026-03-0{number}T12:00:00Z"
    return json.dumps(
        {"time": at, "runId": f"run-{number}", "status": "ok", "result": {"meta": {"agentMeta": account}}}
    )


_BILL = {
    "BillingAccountId": "1001",
    "BillingCurrency": "USD",
    "ChargeCategory": "Usage",
    "ProviderName": "AWS",
    "ServiceCategory": "Compute",
    "ServiceName": "Machines",
    "BillingPeriodStart": "2026-0{}-01T00:00:00Z",
    "ChargePeriodStart": "2026-0{}-10T00:00:00Z",
    "ChargePeriodEnd": "2026-0{}-11T00:00:00Z",
    "BilledCost": "{}.75",
    "EffectiveCost": "{}.5",
}


def _bill(number: int) -> str:
    return ",".join(value.format(number) for value in _BILL.values())


@contextmanager
def one_github() -> Iterator[None]:
    """One address for all units that are served within: what comes from another address is another thing."""
    with served(_HUB.answer) as _HUB.url:
        yield
    _HUB.url = ""


@contextmanager
def _github(units: Sequence[str]) -> Iterator[str]:
    _HUB.pulls = [json.loads(unit) for unit in units]
    with nullcontext() if _HUB.url else one_github():
        yield _HUB.url


def _pull(number: int) -> str:
    at = f"2026-03-0{number}T09:00:00Z"
    return json.dumps(merged(number, at, created_at=at, body=named(f"s{number}")))


MAPPING = "source: evals\nsession_id: run\nagent: agent\nmodel: model\ncost_usd: cost\nsuccess: ok\nstarted_at: at\n"

_WORKQ = """
CREATE TABLE work_items (
    id INTEGER PRIMARY KEY, issue_ref TEXT, agent_id TEXT, status TEXT, updated_at TEXT, claimed_session_key TEXT
);
CREATE TABLE work_log (id INTEGER PRIMARY KEY, issue_ref TEXT, agent_id TEXT, action TEXT, created_at TEXT);
"""


def _work_queue(folder: Path, units: Sequence[str]) -> Path:
    """Units are `<issue>|<status>|<time>`; the session is in the key of its run."""
    path = folder / "workq.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as queue:
        queue.executescript(_WORKQ)
        for number, (issue, status, at) in enumerate((unit.split("|") for unit in units), start=1):
            key = f"agent:main:cron:nightly:run:{issue[2:]:0>8}-1111-4111-8111-111111111111"
            queue.execute("INSERT INTO work_items VALUES (?, ?, 'main', ?, ?, ?)", (number, issue, status, at, key))
        queue.commit()
    return path


def _capture(day: int, count: object) -> str:
    at = 1772323200000 + day * 86_400_000
    response = {"time": [at], "usage": {"All": [count]}}
    return json.dumps({"observed_at": f"2026-03-0{day + 1}T20:00:00Z", "response": response})


def _otlp_pairs(said: Mapping[str, object]) -> list[dict[str, object]]:
    return [{"key": key, "value": {"stringValue": str(value)}} for key, value in said.items()]


def _otlp_call(number: int) -> str:
    """The body of a call, and of the span of a framework around it."""
    at = 1772355600_000_000_000 + number * 86_400_000_000_000
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-demo",
        "gen_ai.response.id": f"msg_otlp_{number}",
        "gen_ai.conversation.id": "s1",
        "gen_ai.agent.name": "main",
        "gen_ai.usage.input_tokens": 10 * number,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 3,
    }
    span = {"traceId": f"{number:032x}", "kind": 3, "startTimeUnixNano": str(at), "endTimeUnixNano": str(at + 10**9)}
    inner = span | {"spanId": f"{2:016x}", "parentSpanId": f"{1:016x}", "attributes": _otlp_pairs(said)}
    outer = span | {"spanId": f"{1:016x}", "attributes": _otlp_pairs({"gen_ai.operation.name": "invoke_agent"})}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [inner, outer]}]}]}
    return f"{number}.traces.json\n{json.dumps(body)}"


def _otlp_reading(number: int) -> str:
    """The body of a counter that runs on, read once a day."""
    start = 1772355600_000_000_000
    point = {
        "attributes": _otlp_pairs({"type": "output", "model": "claude-demo"}),
        "startTimeUnixNano": str(start),
        "timeUnixNano": str(start + number * 86_400_000_000_000),
        "asInt": str(100 * number),
    }
    total = {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [point]}
    metric = {"name": "claude_code.token.usage", "sum": total}
    return f"{number}.metrics.json\n" + json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})


SAMPLES = (
    Sample("codex", [_codex(n) for n in range(1, 5)], files("sessions"), _codex(5)[:-10]),
    Sample(
        "agent-json", [_run(n) for n in range(1, 5)], rows("runs.jsonl"), _run(5).replace('"input": 5', '"input": -5')
    ),
    Sample(
        "focus",
        [_bill(n) for n in range(1, 5)],
        rows("bill.csv", ",".join(_BILL)),
        _bill(5).replace("USD", "EUR"),
    ),
    Sample(
        "focus",
        [_bill(n) for n in range(1, 5)],
        rows("bill.csv", ",".join(_BILL)),
        _bill(5).replace("USD", "EUR"),
        {"whole": "periods"},
        name="focus, whole periods",
    ),
    Sample(
        "workq",
        [f"T-{n}|done|2026-03-0{n} 09:00:00" for n in range(1, 5)],
        _work_queue,
        "T-9|finished|2026-03-05 09:00:00",
    ),
    Sample(
        "credits",
        [f"speech,2026-03-0{n},{n}50" for n in range(1, 5)],
        rows("credits.csv", "vendor,used_at,credits"),
        "speech,2026-03-05,many",
        {"plans": "@plans.yaml"},
        {"plans.yaml": "- {vendor: speech, starts_on: 2026-02-09, fee_usd: 22, limit_credits: 100000}\n"},
    ),
    Sample(
        "credits",
        [_capture(n, 100 * n) for n in range(1, 5)],
        rows("captures.jsonl"),
        _capture(5, "x"),
        name="credits, captured",
    ),
    Sample(
        "flows",
        [f"f{n},revenue,{n}.50,2026-02-0{n}" for n in range(1, 5)],
        rows("flows.csv", "flow_id,kind,amount_usd,occurred_on"),
        "f5,revenue,-1,2026-02-05",
    ),
    Sample("budgets", [f"b{n},{n}.50" for n in range(1, 5)], rows("budgets.csv", "budget_id,limit_usd"), "b5,-1"),
    Sample(
        "github",
        [_pull(n) for n in range(1, 5)],
        lambda folder, units: "acme/shop",
        json.dumps({"number": "five"}),
        serve=_github,
        token=TOKEN,
    ),
    Sample(
        "openclaw",
        [_openclaw(n) for n in range(1, 5)],
        files("home"),
        _openclaw(5).replace('"usage": {', '"usage": [{'),
    ),
    Sample(
        "claude-code", [_claude_code(n) for n in range(1, 5)], files("projects"), _claude_code(5).replace("}}", "}")
    ),
    Sample(
        "responses",
        [_response(n) for n in range(1, 5)],
        rows("answers.jsonl"),
        _response(5).replace('"usage"', '"sausage"'),
    ),
    Sample("calls", [_call(n) for n in range(1, 5)], rows("0001.jsonl"), _call(5).replace('"usage"', '"sausage"')),
    Sample(
        "otlp",
        [_otlp_call(n) for n in range(1, 5)],
        files("bodies"),
        _otlp_call(5).replace('"stringValue": "50"', '"stringValue": "-50"'),
    ),
    Sample(
        "otlp",
        [_otlp_reading(n) for n in range(1, 5)],
        files("bodies"),
        _otlp_reading(5).replace('"500"', '"-500"'),
        name="otlp, meters",
    ),
    Sample(
        "runs",
        [f"r{n},main,big,0.{n}5,true,2026-03-0{n}T08:00:00Z" for n in range(1, 5)],
        rows("runs.csv", "run,agent,model,cost,ok,at"),
        "r5,main,big,much,true,2026-03-05T08:00:00Z",
        {"mapping": "@mapping.yaml"},
        {"mapping.yaml": MAPPING},
    ),
    Sample(
        "prices",
        [f"P{n},acme,model-{n},2026-01-01,{n},{n}.5" for n in range(1, 5)],
        rows("prices.csv", "price_id,provider,model,effective_from,input,output"),
        "P5,acme,model-5,2026-01-01,free,1",
    ),
    Sample(
        "charges",
        [f"c{n},compute,{n}.25,2026-02-01,2026-03-01" for n in range(1, 5)],
        rows("charges.csv", "charge_id,category,amount_usd,starts_on,ends_on"),
        "c5,compute,1.00,2026-03-01,2026-02-01",
    ),
    Sample(
        "cash",
        [f"account-{n},2026-03-01,{n}.50" for n in range(1, 5)],
        rows("cash.csv", "account,as_of_on,balance_usd"),
        "account-5,2026-03-01,NaN",
    ),
    Sample(
        "outcomes",
        [f"s{n},PR_MERGED,true,2026-03-0{n}T09:00:00Z" for n in range(1, 5)],
        rows("outcomes.csv", "session_id,kind,is_success,occurred_at"),
        "s5,PR_MERGED,perhaps,2026-03-05T09:00:00Z",
    ),
    Sample(
        "scores",
        [f"s{n},0.{n},reviewer,2026-03-0{n}T09:00:00Z" for n in range(1, 5)],
        rows("scores.csv", "session_id,score,scorer,observed_at"),
        "s5,1.01,reviewer,2026-03-05T09:00:00Z",
    ),
)


def killed_home(folder: Path, share: int = 1) -> Path:
    """A home with 40 sessions of 10 calls, or the first of them, for loads that are killed."""
    for number in range(1, 40 // share + 1):
        session = f"10000000-0000-4000-8000-{number:012d}"
        header = {"type": "session", "version": 3, "id": session, "timestamp": "2026-03-01T08:00:00.000Z"}
        calls = [_answer(f"k{number}-{call}", call) for call in range(1, 10)]
        path = folder / f"agents/main/sessions/{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in (header, *calls, _answer("copied", 1))))
    return folder


def killed_prices(folder: Path) -> Path:
    path = folder / "prices.csv"
    header = "price_id,provider,model,effective_from,input,cache_read,cache_write_5m,output\n"
    path.write_text(header + "P1,anthropic,claude-demo,2026-01-01,3,0.3,3.75,15\n")
    return path
