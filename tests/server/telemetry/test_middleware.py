"""What surrounds every request: its id, its line, its counters, and what comes of a mistake of ours. Over real HTTP."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from semantic import Catalog
from server.app import create_app
from server.jobs import Jobs
from server.settings import Settings
from server.telemetry import Exchange, Meters, Telemetry
from server.telemetry.doors import MOST_CODES
from server.telemetry.logs import logging_to
from server.telemetry.middleware import Watched
from server.telemetry.redaction import Redactor
from store import Store
from tests.server.conftest import NOW, RECORDS, REPOSITORY, load_into
from tests.serving import running
from tests.stores import new_store

ASKED = {"query": "query Cost { metrics { dataVersion totals { sessions } } }"}
NEVER_KEPT = {"query": "{ roi { rows { sessions } } }"}


@dataclass
class Here:
    url: str
    log: io.StringIO
    telemetry: Telemetry

    def send(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        place = urlsplit(self.url)
        connection = HTTPConnection(str(place.hostname), int(place.port or 80), timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            sent = None if body is None else json.dumps(body).encode()
            connection.request(method, path, sent, {"Content-Type": "application/json", **named})
            response = connection.getresponse()
            return response.status, {n.lower(): v for n, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    def lines(self, request_id: str) -> list[dict[str, Any]]:
        """The access line is written after the last byte of the answer; a request after it is a moment to wait for."""
        self.send("GET", "/health/live")
        found = (json.loads(line) for line in self.log.getvalue().splitlines())
        return [line for line in found if line.get("request_id") == request_id]

    def samples(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        return samples(self.send("GET", "/metrics")[2].decode())


def samples(page: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    found = {}
    for family in text_string_to_metric_families(page):
        assert family.documentation, family.name
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, key
            found[key] = sample.value
    return found


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with new_store() as opened:
        load_into(opened, RECORDS)
        yield opened


@pytest.fixture(scope="module")
def here(catalog: Catalog, store: Store) -> Iterator[Here]:
    telemetry, log = Telemetry(), io.StringIO()
    jobs = Jobs(store, lambda: NOW, 60, around=telemetry.loading)
    with logging_to(log, "json", "info", Redactor()):
        app = create_app(store, catalog, Settings(), lambda: NOW, jobs=jobs, telemetry=telemetry)
        with running(app) as url:
            yield Here(url, log, telemetry)


def test_a_request_keeps_the_id_of_its_caller_and_has_one_line(here: Here, store: Store) -> None:
    status, headers, body = here.send("POST", "/graphql?note=secret", ASKED, X_Request_Id="router-17")
    assert (status, headers["x-request-id"]) == (200, "router-17")
    (line,) = here.lines("router-17")
    assert line.pop("duration_ms") > 0
    assert line.pop("time")
    assert line == {
        "level": "info", "logger": "clawback.access", "message": "answered", "request_id": "router-17",
        "surface": "graphql", "method": "POST", "path": "/graphql", "status": 200, "bytes": len(body),
        "principal": "anybody", "operation": "Cost", "rows": 1, "cost": 2000, "data_version": store.data_version(),
    }  # fmt: skip


@pytest.mark.parametrize("odd", ["", "x", "a b c d", "x" * 65, "ünïcode", "<script>", "....", "a\tb123"])
def test_an_id_that_is_none_is_replaced(here: Here, odd: str) -> None:
    given = here.send("GET", "/health/live", X_Request_Id=odd.encode().decode("latin-1"))[1]["x-request-id"]
    assert len(given) == 32
    assert given != odd


def test_what_is_asked_by_machines_every_few_seconds_is_not_in_the_log(here: Here) -> None:
    here.send("GET", "/health/live", X_Request_Id="probe-1")
    here.send("GET", "/metrics", X_Request_Id="probe-2")
    assert here.lines("probe-1") == here.lines("probe-2") == []


def test_a_refusal_has_its_code_in_the_log_and_in_the_counters(here: Here) -> None:
    before = here.samples()
    here.send("POST", "/graphql", {"query": "{ nothing }"}, X_Request_Id="wrong-1")
    here.send("POST", "/graphql", [], X_Request_Id="wrong-2")
    here.send("GET", "/nowhere/../%0a", X_Request_Id="wrong-3")
    told = [here.lines(f"wrong-{n}")[0] for n in (1, 2, 3)]
    assert [(line["status"], line.get("code")) for line in told] == [
        (200, "INVALID_QUERY"),
        (400, "BAD_REQUEST"),
        (404, None),
    ]
    after = here.samples()

    def grown(**labels: str) -> float:
        key = "clawback_requests_total", frozenset(labels.items())
        return after[key] - before.get(key, 0)

    assert grown(surface="graphql", status="200", code="INVALID_QUERY") == 1
    assert grown(surface="graphql", status="400", code="BAD_REQUEST") == 1
    assert grown(surface="other", status="404", code="OK") == 1


def test_a_host_that_is_refused_is_counted_too(here: Here) -> None:
    status, headers, _ = here.send("GET", "/", Host="evil.example", X_Request_Id="evil-1")
    assert (status, headers["x-request-id"]) == (400, "evil-1")
    assert here.lines("evil-1")[0]["status"] == 400


def test_the_same_document_is_a_hit_and_the_store_is_measured(here: Here) -> None:
    def counted(name: str, **labels: str) -> float:
        return here.samples().get((name, frozenset(labels.items())), 0)

    here.send("POST", "/graphql", ASKED)
    kept = counted("clawback_cache_requests_total", cache="result", result="hit")
    for _ in range(3):
        here.send("POST", "/graphql", ASKED)
    assert counted("clawback_cache_requests_total", cache="result", result="hit") - kept == 3
    here.send("POST", "/graphql", NEVER_KEPT)
    hits = counted("clawback_cache_requests_total", cache="question", result="hit")
    reads = counted("clawback_store_read_duration_seconds_count", purpose="request")
    waits = counted("clawback_queue_wait_seconds_count")
    for _ in range(3):
        here.send("POST", "/graphql", NEVER_KEPT)
    assert counted("clawback_cache_requests_total", cache="question", result="hit") - hits == 3
    assert counted("clawback_store_read_duration_seconds_count", purpose="request") - reads == 3
    assert counted("clawback_queue_wait_seconds_count") - waits == 3


def test_what_a_scrape_finds_of_the_server(here: Here, store: Store) -> None:
    found = here.samples()
    assert found["clawback_data_version", frozenset()] == store.data_version()
    place = frozenset({("source", "test"), ("location", "records")})
    assert found["clawback_source_stored_timestamp_seconds", place] == NOW.timestamp()
    assert found["clawback_source_failed", place] == 0
    assert found["clawback_source_rejected_rows", place] == 0
    assert found["clawback_store_up", frozenset()] == 1
    assert found["clawback_queue_length", frozenset({("lane", "question")})] == 0
    assert found["clawback_requests_in_progress", frozenset({("surface", "metrics")})] == 1
    assert found["process_resident_memory_bytes", frozenset()] > 1e6
    standings = {dict(labels)["standing"]: v for (name, labels), v in found.items() if name.endswith("_standing")}
    assert sum(standings.values()) == 1
    assert set(standings) == {"FRESH", "STALE", "EXPIRED", "NOT_COMPUTED"}


def test_every_metric_is_in_the_table_of_the_docs_and_no_other(here: Here) -> None:
    page = here.send("GET", "/metrics")[2].decode()
    told = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE))
    ours = {name: kind for name, kind in told.items() if name.startswith("clawback_") and "_created" not in name}
    table = (REPOSITORY / "docs/operations.md").read_text()
    listed = dict(re.findall(r"^\| `(clawback_\w+)` \| (\w+) \|", table, re.MULTILINE))
    # Those of the intake are held to the table where there is one.
    assert {name: kind for name, kind in listed.items() if not name.startswith("clawback_intake_")} == ours


def test_no_label_holds_what_a_client_wrote(here: Here) -> None:
    odd = "Zq7marker"
    here.send("GET", f"/{odd}")
    here.send(odd.upper(), "/graphql")
    query = f'query {odd} {{ metrics(where: {{agent: {{eq: "{odd}"}}}}) {{ totals {{ sessions }} }} }}'
    here.send("POST", "/graphql", {"query": query, "operationName": odd}, X_Request_Id=odd, User_Agent=odd)
    assert odd.lower() not in here.send("GET", "/metrics")[2].decode().lower()


def test_codes_are_bounded_whatever_they_are_made_of() -> None:
    meters = Meters()
    for code in (None, "TIMEOUT", "a b", "X" * 41, "", *(f"C{n}" for n in range(1_000))):
        meters.doors.answered(Exchange(surface="graphql", status=200, code=code))
    found = {
        dict(labels)["code"]: value
        for (name, labels), value in samples(meters.page()).items()
        if name == "clawback_requests_total"
    }
    assert len(found) == MOST_CODES + 2
    assert (found["OK"], found["TIMEOUT"], found["C0"], found["C98"]) == (1, 1, 1, 1)
    assert found["OTHER"] == 3 + 1_000 - 99
    assert sum(found.values()) == 1_005


def test_a_request_is_timed_in_the_first_bound_that_it_did_not_exceed() -> None:
    meters = Meters()
    for elapsed in (0.0001, 0.001, 0.04, 60.0):
        meters.doors.answered(TimedExchange(elapsed))
    meters.doors.answered(TimedExchange(0.5), is_timed=False)
    found = samples(meters.page())
    name, of = "clawback_request_duration_seconds", ("surface", "graphql")
    counts = {bound: found[f"{name}_bucket", frozenset({of, ("le", bound)})] for bound in ("0.001", "0.05", "10.0")}
    assert counts == {"0.001": 2, "0.05": 3, "10.0": 3}
    assert found[f"{name}_bucket", frozenset({of, ("le", "+Inf")})] == 4
    assert found[f"{name}_count", frozenset({of})] == 4
    assert round(found[f"{name}_sum", frozenset({of})], 4) == 60.0411


class TimedExchange(Exchange):
    def __init__(self, elapsed: float) -> None:
        super().__init__(surface="graphql", status=200)
        self._elapsed = elapsed

    def elapsed_s(self) -> float:
        return self._elapsed


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        return await Starlette()(scope, receive, send)
    raise RuntimeError("password=hunter2-hunter2")


def test_a_mistake_of_ours_is_a_500_that_names_the_request_and_nothing_else() -> None:
    log = io.StringIO()
    with logging_to(log, "json", "info", Redactor()), running(Watched(broken, Telemetry())) as url:
        status, headers, body = Here(url, log, Telemetry()).send("POST", "/graphql", {}, X_Request_Id="lost-1")
    assert (status, headers["x-request-id"]) == (500, "lost-1")
    (error,) = json.loads(body)["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": "lost-1"}
    assert b"hunter2" not in body
    failed, answered = (json.loads(line) for line in log.getvalue().splitlines())
    assert (failed["message"], failed["request_id"]) == ("the request failed", "lost-1")
    assert (answered["status"], answered["code"]) == (500, "INTERNAL")
    assert "hunter2" not in log.getvalue()
