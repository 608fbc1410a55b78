"""The demo home, read back here with json and csv alone: formats, traps, and totals against the generator's truth."""

import csv
import hashlib
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from zstandard import ZstdDecompressor

from server.demo import DemoHome, write_home
from server.demo.plan import plan
from server.demo.session import DAY, midnight_ms

LAST_DAY = date(2026, 3, 15)
FIRST_DAY = LAST_DAY - timedelta(days=59)
STAMP = r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z"
BUCKETS = {"input": "input", "cacheRead": "cache_read", "cacheWrite": "cache_write_5m", "output": "output"}
TRANSCRIPT = re.compile(rf"([0-9a-f-]{{36}})(-topic-\w+)?\.jsonl(\.reset\.{STAMP}|\.deleted\.{STAMP}(\.zst)?)?")

Json = dict[str, Any]
Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Reading:
    """What the files say, read without the product's loaders."""

    home: DemoHome
    transcripts: dict[str, list[Json]]
    """By file name: live ones and archives, no copies."""
    stores: dict[str, Json]
    """Session entries by key, all agents."""
    run_logs: dict[str, list[Json]]
    prices: Rows
    outcomes: Rows
    charges: Rows

    def files(self, pattern: str) -> list[Path]:
        return sorted(self.home.openclaw.glob(pattern))

    @cached_property
    def entries(self) -> list[Json]:
        return [entry for lines in self.transcripts.values() for entry in lines]

    @cached_property
    def messages(self) -> list[Json]:
        return [entry["message"] for entry in self.entries if entry["type"] == "message"]

    @cached_property
    def calls(self) -> list[Json]:
        return _distinct_calls(self.entries)

    @cached_property
    def runs(self) -> list[Json]:
        """Lines of the run logs that have a session."""
        return [line for log in self.run_logs.values() for line in log if "sessionId" in line]

    @cached_property
    def session_keys(self) -> dict[str, str]:
        """The key of every session that a store or a run log knows."""
        keys = {line["sessionId"]: line["sessionKey"] for line in self.runs}
        for key, entry in self.stores.items():
            for session_id in entry.get("usageFamilySessionIds", [entry["sessionId"]]):
                keys.setdefault(session_id, key)
        return keys


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    home = write_home(tmp_path_factory.mktemp("demo"), last_day=LAST_DAY)
    stores = [json.loads(path.read_bytes()) for path in sorted(home.openclaw.glob("agents/*/sessions/sessions.json"))]
    return Reading(
        home=home,
        transcripts={path.name: _lines(path) for path in _transcript_paths(home)},
        stores={key: entry for store in stores for key, entry in store.items()},
        run_logs={path.stem: _lines(path) for path in home.openclaw.glob("cron/runs/*.jsonl")},
        prices=_rows(home.prices_csv),
        outcomes=_rows(home.outcomes_csv),
        charges=_rows(home.charges_csv),
    )


def _transcript_paths(home: DemoHome) -> list[Path]:
    return [path for path in sorted(home.openclaw.glob("agents/*/sessions/*")) if TRANSCRIPT.fullmatch(path.name)]


def _lines(path: Path) -> list[Json]:
    content = path.read_bytes()
    if path.suffix == ".zst":
        content = ZstdDecompressor().decompress(content)
    return [json.loads(line, parse_float=Decimal) for line in content.splitlines()]


def _rows(path: Path) -> Rows:
    with path.open(newline="") as text:
        return list(csv.DictReader(text))


def _distinct_calls(entries: list[Json]) -> list[Json]:
    """Model calls, each once: copies share the response id, or else everything that the provider said."""
    found: dict[tuple[object, ...], Json] = {}
    for entry in entries:
        message = entry.get("message", {})
        if message.get("role") != "assistant" or message["provider"] == "openclaw":
            continue
        tokens = tuple(message["usage"][bucket] for bucket in BUCKETS)
        told = (entry["id"], entry["timestamp"], message["provider"], message["model"], tokens)
        found[(message["responseId"],) if "responseId" in message else told] = message
    return list(found.values())


def _cost(message: Json, prices: Rows) -> Decimal | None:
    at, used = _instant(message["timestamp"]), message["usage"]
    for price in prices:
        if price["model"] != message["model"] or not price["effective_from"] <= at < (price["effective_to"] or "9999"):
            continue
        prompt = used["input"] + used["cacheRead"] + used["cacheWrite"]
        tier = "t_" if price["tier_over"] and prompt > int(price["tier_over"]) else ""
        usd = [used[bucket] * Decimal(price[tier + column]) for bucket, column in BUCKETS.items()]
        return sum(usd, Decimal(0)) / 1_000_000
    return None


def _total(messages: Iterable[Json], prices: Rows) -> Decimal:
    return sum((_cost(message, prices) or Decimal(0) for message in messages), Decimal(0))


def _instant(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _digest(directory: Path) -> str:
    told = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        told.update(str(path.relative_to(directory)).encode() + b"\0" + path.read_bytes() + b"\0")
    return told.hexdigest()


def test_the_same_last_day_gives_the_same_bytes_in_any_process(reading: Reading, tmp_path: Path) -> None:
    program = (
        "import datetime, pathlib, sys; from server.demo import write_home;"
        f"write_home(pathlib.Path(sys.argv[1]), last_day=datetime.date.fromisoformat('{LAST_DAY}'))"
    )
    again = tmp_path / "again"
    command = [sys.executable, "-c", program, str(again)]
    subprocess.run(command, check=True, env={"PYTHONHASHSEED": "4711", "PYTHONPATH": str(Path(__file__).parents[2])})
    assert _digest(again) == _digest(reading.home.openclaw.parent)


@pytest.mark.parametrize("last_day", [date(2024, 2, 29), date(2026, 7, 4), date(2027, 1, 1)])
def test_every_fate_and_every_twist_happens_whatever_the_last_day(last_day: date) -> None:
    sessions = plan(last_day)
    for work in {id(session.work): session.work for session in sessions}.values():
        own = [session for session in sessions if session.work is work]
        assert {session.fate for session in own} >= set(work.fates)
        assert {session.twist for session in own} >= set(work.twists)
    assert any(session.forked_from and not session.records_response_ids for session in sessions)
    assert any(session.forked_from and session.records_response_ids for session in sessions)
    assert any(session.settled_ms > midnight_ms(last_day) + DAY for session in sessions)


def test_a_home_is_never_written_over_another(reading: Reading) -> None:
    with pytest.raises(FileExistsError, match="name an empty directory, or remove it first"):
        write_home(reading.home.openclaw.parent, last_day=LAST_DAY)


def test_the_tree_stays_small_and_the_company_believable(reading: Reading) -> None:
    sizes = [path.stat().st_size for path in reading.home.openclaw.parent.rglob("*") if path.is_file()]
    assert sum(sizes) < 60_000_000
    assert 4_000 < reading.home.expected.sessions < 9_000
    assert 15_000 < reading.home.expected.requests < 25_000


def test_no_run_log_is_so_long_that_openclaw_would_have_cut_it(reading: Reading) -> None:
    assert max(path.stat().st_size for path in reading.files("cron/runs/*.jsonl")) < 2_000_000


def test_all_that_happens_happens_within_the_sixty_days(reading: Reading) -> None:
    days = {entry["timestamp"][:10] for entry in reading.entries}
    assert (min(days), max(days), len(days)) == (str(FIRST_DAY), str(LAST_DAY), 60)


def test_session_ids_are_random_uuids(reading: Reading) -> None:
    ids = [UUID(lines[0]["id"]) for lines in reading.transcripts.values()]
    assert {session_id.version for session_id in ids} == {4}
    assert len(ids) == len(set(ids))


def test_a_transcript_is_a_tree_under_a_header_that_names_its_file(reading: Reading) -> None:
    for name, (header, *entries) in reading.transcripts.items():
        assert (header["type"], header["version"], name[:36]) == ("session", 3, header["id"])
        seen: set[str | None] = {None}
        for entry in entries:
            assert entry["parentId"] in seen
            assert entry["id"] not in seen
            seen.add(entry["id"])


TRAPS: dict[str, Callable[[Reading], bool]] = {
    "archive of a reset chat": lambda r: bool(r.files("agents/main/sessions/*.jsonl.reset.*")),
    "archive of a deleted cron run": lambda r: bool(r.files("agents/xavier/sessions/*.jsonl.deleted.*Z")),
    "compressed archive": lambda r: bool(r.files("agents/*/sessions/*.jsonl.deleted.*.zst")),
    "topic transcript": lambda r: bool(r.files("agents/main/sessions/*-topic-42.jsonl*")),
    "checkpoint copy": lambda r: bool(r.files("agents/amadeus/sessions/*.checkpoint.*.jsonl")),
    "backup copy": lambda r: bool(r.files("agents/main/sessions/*.jsonl.bak.*")),
    "trajectory": lambda r: bool(r.files("agents/amadeus/sessions/*.trajectory.jsonl")),
    "stale copy of a store": lambda r: bool(r.files("agents/*/sessions/sessions.json.bak.*")),
    "usage cache of OpenClaw": lambda r: bool(r.files("agents/*/sessions/.usage-cost-cache.json")),
    "two keys for one cron session": lambda r: _has_two_keys(r, "agent:xavier:cron:inbox-sweep"),
    "cron run that only the log knows": lambda r: bool(_logged(r) - _stored(r) - _transcribed(r)),
    "cron run without a session": lambda r: all("sessionId" not in line for line in r.run_logs["standup-reminder"]),
    "skipped cron run": lambda r: any(line["status"] == "skipped" for line in r.run_logs["standup-reminder"]),
    "timed out cron run": lambda r: any("timed out" in line.get("error", "") for line in r.run_logs["inbox-sweep"]),
    "run log without cache tokens": lambda r: "cache_read_tokens" not in r.run_logs["inbox-sweep"][0]["usage"],
    "isolated heartbeat": lambda r: (
        r.stores["agent:main:main:heartbeat"]["heartbeatIsolatedBaseSessionKey"] == "agent:main:main"
    ),
    "heartbeat that does nothing": lambda r: any(_text(m) == "HEARTBEAT_OK" for m in r.messages),
    "subagent in the store": lambda r: any(e.get("spawnedBy") for e in r.stores.values()),
    "subagent in the registry": lambda r: b"childSessionKey" in r.files("subagents/runs.json")[0].read_bytes(),
    "fork that copies usage": lambda r: _copied(r, with_response_id=True),
    "fork that copies usage without response ids": lambda r: _copied(r, with_response_id=False),
    "fork in the store": lambda r: any(e.get("forkedFromParent") for e in r.stores.values()),
    "delivery mirror": lambda r: any(m.get("model") == "delivery-mirror" for m in r.messages),
    "abandoned branch": lambda r: any(_is_branched(lines) for lines in r.transcripts.values()),
    "compaction": lambda r: any(e["type"] == "compaction" for e in r.entries),
    "retry after 529": lambda r: any(m.get("errorMessage") == "529 overloaded" for m in r.messages),
    "aborted call": lambda r: any(m.get("openclawAbort") for m in r.messages),
    "prompt error without an answer": lambda r: any(_ends_in_prompt_error(lines) for lines in r.transcripts.values()),
    "session that only the store knows": lambda r: bool(_stored(r) - _logged(r) - _transcribed(r)),
    "running session": lambda r: _running(r, older=False) == 1,
    "session that died running": lambda r: _running(r, older=True) >= 1,
    "store cost blown up": lambda r: _store_cost(r) > 3 * r.home.expected.api_cost_usd,
    "estimate of OpenClaw is wrong": lambda r: any(
        abs(m["usage"]["cost"]["total"] - (_cost(m, r.prices) or 0)) > Decimal("0.0001") for m in r.calls
    ),
    "provider without response ids": lambda r: not any("responseId" in m for m in r.calls if m["provider"] == "ollama"),
    "model without a price": lambda r: any(m["model"] == "grok-9-mystery" for m in r.calls),
    "free local model": lambda r: any(m["model"] == "qwen-local" for m in r.calls),
    "prompt over the price tier": lambda r: any(m["usage"]["cacheRead"] > 200_000 for m in r.calls),
    "price change in the middle": lambda r: len([p for p in r.prices if p["model"] == "gpt-5.2"]) == 2,
    "pull request not yet decided": lambda r: any(o["kind"] == "PR_OPENED" for o in r.outcomes),
    "provider bill beside the requests": lambda r: any(c["category"] == "inference" for c in r.charges),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_the_demo_holds_this_trap(reading: Reading, trap: str) -> None:
    assert TRAPS[trap](reading)


def _transcribed(reading: Reading) -> set[str]:
    return {lines[0]["id"] for lines in reading.transcripts.values()}


def _stored(reading: Reading) -> set[str]:
    return {entry["sessionId"] for entry in reading.stores.values()}


def _logged(reading: Reading) -> set[str]:
    return {line["sessionId"] for line in reading.runs}


def _has_two_keys(reading: Reading, key: str) -> bool:
    session_id = reading.stores[key]["sessionId"]
    return bool(reading.stores[f"{key}:run:{session_id}"]["sessionId"] == session_id)


def _text(message: Json) -> str | None:
    return message["content"][0].get("text") if message["content"] else None


def _copied(reading: Reading, *, with_response_id: bool) -> bool:
    """Whether a fork begins with calls of the session that its header names."""
    by_id = {lines[0]["id"]: lines for lines in reading.transcripts.values()}
    forks = [lines for lines in by_id.values() if "parentSession" in lines[0]]
    copies = [entry for fork in forks for entry in fork[1:] if entry in by_id[fork[0]["parentSession"]]]
    return any(
        ("responseId" in entry["message"]) is with_response_id
        for entry in copies
        if entry["type"] == "message" and entry["message"]["role"] == "assistant"
    )


def _is_branched(lines: list[Json]) -> bool:
    return max(Counter(entry["parentId"] for entry in lines[1:]).values()) > 1


def _ends_in_prompt_error(lines: list[Json]) -> bool:
    roles = {entry["message"]["role"] for entry in lines if entry["type"] == "message"}
    return lines[-1].get("customType") == "openclaw:prompt-error" and "assistant" not in roles


def _running(reading: Reading, *, older: bool) -> int:
    updated = [_instant(entry["updatedAt"])[:10] for entry in reading.stores.values() if entry["status"] == "running"]
    return sum((day < str(LAST_DAY)) is older for day in updated)


def _store_cost(reading: Reading) -> Decimal:
    return Decimal(sum(entry.get("estimatedCostUsd", 0) for entry in reading.stores.values()))


def test_the_expected_requests_and_costs_are_those_in_the_files(reading: Reading) -> None:
    expected = reading.home.expected
    cost: defaultdict[str, Decimal] = defaultdict(Decimal)
    for message in reading.calls:
        usd = _cost(message, reading.prices)
        assert (usd is None) is (message["model"] == "grok-9-mystery")
        if usd is not None:
            cost[message["model"]] += usd
    assert Counter(message["model"] for message in reading.calls) == expected.requests_by_model
    assert cost == expected.cost_usd_by_model


def test_the_expected_sessions_are_those_in_the_files(reading: Reading) -> None:
    keys = reading.session_keys
    assert _transcribed(reading) <= keys.keys()
    assert Counter(map(_trigger, keys.values())) == reading.home.expected.sessions_by_trigger


def _trigger(key: str) -> str:
    classes = {"cron": "cron", "subagent": "subagent", "hook": "webhook"}
    return "heartbeat" if key.endswith(":heartbeat") else classes.get(key.split(":")[2], "human")


def test_the_expected_totals_agree_with_each_other(reading: Reading) -> None:
    expected = reading.home.expected
    assert sum(expected.sessions_by_trigger.values()) == expected.sessions
    assert sum(expected.sessions_by_ending.values()) == expected.sessions
    assert sum(expected.requests_by_model.values()) == expected.requests
    assert expected.requests_by_model["grok-9-mystery"] == expected.unpriced_requests
    assert sum(expected.cost_usd_by_model.values()) == expected.api_cost_usd
    assert expected.cost_usd_by_model.keys() == expected.requests_by_model.keys() - {"grok-9-mystery"}
    outcomes = reading.outcomes
    productive = sum(outcome["kind"] != "IDLE_EXIT" for outcome in outcomes)
    assert len(outcomes) == expected.outcomes
    assert expected.idle_sessions == expected.sessions_by_ending["success"] - productive


def test_outcomes_are_decided_within_their_window_or_open(reading: Reading) -> None:
    keys = reading.session_keys
    for outcome in reading.outcomes:
        assert outcome["session_id"] in keys
        assert (outcome["is_success"] == "") is (outcome["kind"] in {"PR_OPENED", "IDLE_EXIT"})
        assert str(FIRST_DAY) <= outcome["occurred_at"][:10] <= str(LAST_DAY)


def test_the_inbox_sweep_is_the_dearest_waste_and_the_ticket_sweep_is_cheap(reading: Reading) -> None:
    half = reading.home.expected.api_cost_usd / 2
    inbox, tickets = (_spent(reading, _sessions_of(reading, job)) for job in ("inbox-sweep", "ticket-sweep"))
    assert inbox > half
    assert reading.home.expected.idle_cost_usd > half
    assert tickets < 10


def test_opus_wins_more_coding_tasks_than_sonnet_for_four_times_the_cost(reading: Reading) -> None:
    won = {row["session_id"] for row in reading.outcomes if row["is_success"] == "true"}
    opus, sonnet = (_coding_tasks(reading, model) for model in ("claude-opus-4-6", "claude-sonnet-4-6"))
    assert Decimal("0.42") < _spent(reading, opus) / len(opus) < Decimal("0.52")
    assert Decimal("0.11") < _spent(reading, sonnet) / len(sonnet) < Decimal("0.13")
    assert 0.6 < len(won & sonnet) / len(sonnet) < len(won & opus) / len(opus) < 0.85


def _sessions_of(reading: Reading, job: str) -> set[str]:
    return {line["sessionId"] for line in reading.run_logs[job]}


def _coding_tasks(reading: Reading, model: str) -> set[str]:
    entries = [entry for key, entry in reading.stores.items() if key.startswith("agent:amadeus:")]
    return {entry["sessionId"] for entry in entries if entry["model"] == model}


def _spent(reading: Reading, session_ids: set[str]) -> Decimal:
    transcripts = [lines for lines in reading.transcripts.values() if lines[0]["id"] in session_ids]
    return _total(_distinct_calls([entry for lines in transcripts for entry in lines]), reading.prices)


def test_no_call_of_the_repriced_model_straddles_the_change(reading: Reading) -> None:
    changed_at = next(p["effective_to"] for p in reading.prices if p["effective_to"])
    assert changed_at == f"{FIRST_DAY + timedelta(days=30)}T00:00:00Z"
    for entry in reading.entries:
        if entry.get("message", {}).get("role") == "assistant":
            assert (_instant(entry["message"]["timestamp"]) < changed_at) is (entry["timestamp"] < changed_at)


def test_charges_cover_every_category_and_the_provider_bills_full_months_a_little_higher(reading: Reading) -> None:
    charges = reading.charges
    assert {charge["category"] for charge in charges} == {
        *("compute", "storage", "network", "software", "people", "inference", "other"),
    }
    assert all(charge["starts_on"] < charge["ends_on"] for charge in charges)
    assert len({charge["charge_id"] for charge in charges}) == len(charges)
    assert sum(charge["category"] == "compute" for charge in charges) == 60
    of_providers = [charge for charge in charges if charge["category"] == "inference"]
    fees = {c["charge_id"]: c["amount_usd"] for c in of_providers if c["line_item"] == "fee"}
    assert fees == {"anthropic-2026-01-searches": "3.40", "anthropic-2026-02-searches": "3.40"}
    bills = {c["charge_id"]: Decimal(c["amount_usd"]) for c in of_providers if c["line_item"] == "tokens"}
    assert bills.keys() == {"anthropic-2026-01", "anthropic-2026-02", "openai-2026-01", "openai-2026-02"}
    february = [m for m in reading.calls if _instant(m["timestamp"]).startswith("2026-02")]
    billed = bills["anthropic-2026-02"] + bills["openai-2026-02"]
    assert abs(billed - _total(february, reading.prices) * Decimal("1.012")) < Decimal("0.02")


def test_the_cash_of_two_accounts_lasts_five_to_nine_months(reading: Reading) -> None:
    balances = _rows(reading.home.cash_csv)
    assert Counter(row["account"] for row in balances) == {"operating": 8, "reserve": 8}
    cash = sum(Decimal(row["balance_usd"]) for row in balances if row["as_of_on"] == str(LAST_DAY))
    since, until = LAST_DAY - timedelta(days=29), LAST_DAY + timedelta(days=1)
    recent = [message for message in reading.calls if _instant(message["timestamp"]) >= str(since)]
    shares = [_share(charge, since, until) for charge in reading.charges]
    burned = _total(recent, reading.prices) + sum(shares, Decimal(0))
    months = cash / (burned / 30 * Decimal("30.4375"))
    assert 5 < months < 9


def _share(charge: dict[str, str], since: date, until: date) -> Decimal:
    """What a charge costs within a window; a provider's bill says again what the requests cost, but for fees."""
    if charge["category"] == "inference" and charge["line_item"] != "fee":
        return Decimal(0)
    starts_on, ends_on = date.fromisoformat(charge["starts_on"]), date.fromisoformat(charge["ends_on"])
    covered = (min(ends_on, until) - max(starts_on, since)).days
    return Decimal(charge["amount_usd"]) * max(covered, 0) / (ends_on - starts_on).days
