"""The audit: who asked what, without anything that is secret, in a file that stays small."""

import json
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from semantic import load_catalog
from server.access.audit import Asked, Audit, codes_in, root_fields, rows_in
from server.access.bearer import digest_of, new_token
from server.access.gate import Gate
from server.access.given import GivenTokens
from server.access.principal import Principal
from server.app import create_app
from server.settings import Settings
from store import Store
from store.tokens import NewToken, Tokens
from tests.server.conftest import NOW, REPOSITORY
from tests.server.test_app import Client
from tests.serving import running

ANN = Principal("ann#t1", frozenset({"router"}))
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def asked(**fields: Any) -> Asked:
    usual = {
        "request_id": "1",
        "principal": ANN,
        "peer": "192.0.2.1",
        "surface": "graphql",
        "text": "{ sources { name } }",
    }
    return Asked(**{**usual, **fields})


def test_a_line_says_who_asked_what_and_nothing_that_is_secret(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    audit = Audit(path, lambda: AT)
    text = "query Q($who: String) { metrics { rows { sessions } } roi { rows { n } } }"
    told = asked(text=text, operation="Q", variables={"who": "the secret"}, codes=("TIMEOUT",), rows=3, cost=12.5)
    with audit.kept_going():
        audit.asked(told)
        audit.asked(told)
    first, second = lines(path)
    values = first.pop("values")
    assert first == {
        "at": "2026-03-10T12:00:00+00:00",
        "event": "asked",
        "request_id": "1",
        "principal": "ann#t1",
        "roles": ["router"],
        "peer": "192.0.2.1",
        "surface": "graphql",
        "operation": "Q",
        "document": "f8a9b1f1",
        "fields": ["metrics", "roi"],
        "variables": ["who"],
        "status": 200,
        "codes": ["TIMEOUT"],
        "rows": 3,
        "cost": 12.5,
        "duration_ms": 0.0,
    } | {"document": first["document"]}
    assert len(first["document"]) == 64
    assert values == second["values"]
    assert "the secret" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_hash_of_values_cannot_be_tried_out(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        audit = Audit(tmp_path / name, lambda: AT)
        audit.asked(asked(variables={"who": "x"}))
        audit.write_now()
        found += lines(tmp_path / name)
    assert found[0]["values"] != found[1]["values"]


def test_the_file_is_turned_over_and_ten_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    audit = Audit(path, lambda: AT, most_mb=1)
    with audit.kept_going():
        for _ in range(1_300):
            audit.happened("load", "x" * 10_000)
    files = sorted(file.name for file in tmp_path.iterdir())
    assert len(files) == 10
    assert all(file.stat().st_size <= 1_000_000 for file in tmp_path.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_lines_that_nobody_writes_in_time_are_counted_and_hold_up_nobody(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    audit = Audit(path, lambda: AT)
    for _ in range(20_010):
        audit.denied("192.0.2.1", 401, "no")
    audit.write_now()
    audit.denied("192.0.2.1", 401, "no")
    audit.write_now()
    found = lines(path)
    assert len(found) == 20_001
    assert found[0]["dropped_before"] == 10


@pytest.mark.parametrize(
    ("text", "operation", "fields"),
    [
        ("{ a: metrics { __typename } metrics { __typename } roi { x } }", None, ("metrics", "roi")),
        ("query A { metrics } query B { roi }", "B", ("roi",)),
        ("mutation { settle }", None, ("settle",)),
        ("{ metrics", None, ()),
        ("{" * 5_000, None, ()),
    ],
)
def test_the_fields_at_the_top_are_named(text: str, operation: str | None, fields: tuple[str, ...]) -> None:
    assert root_fields(text, operation) == fields


def test_rows_and_codes_are_those_of_the_response() -> None:
    body = {
        "data": {"metrics": {"rows": [1, 2]}, "roi": {"rows": [1]}, "sources": []},
        "errors": [{"extensions": {"code": "A"}}] * 2,
    }
    assert (rows_in(body), codes_in(body)) == (3, ("A",))
    assert (rows_in({"errors": []}), codes_in({})) == (None, ())


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[Tokens]:
    with Tokens.beside(tmp_path / "store.duckdb") as opened:
        yield opened


def test_a_server_writes_down_who_asked_and_who_was_not_let_in(store: Store, tokens: Tokens, tmp_path: Path) -> None:
    catalog, token, path = load_catalog((REPOSITORY / "metrics.yaml").read_text()), new_token(), tmp_path / "a.jsonl"
    tokens.add(
        NewToken(token_id="t1", name="ann", digest=digest_of(token), roles=frozenset({"router"}), created_at=NOW)
    )
    audit = Audit(path, lambda: AT)
    gate = Gate(Settings().anybody, "", GivenTokens(tokens, lambda: NOW), on_denied=audit.denied)
    app = create_app(store, catalog, Settings(), lambda: NOW, gate=gate, audit=audit)
    before = threading.active_count()
    with running(app) as url:
        client = Client(url)
        held = f"Bearer {token}"
        shown = client.post({"query": "{ metrics { rows { model sessions } } }"}, Authorization=held)
        assert shown.status == 200
        assert client.post({"query": "{ metrics { rows { cash } } }"}, Authorization=held).status == 200
        refused = client.post({"query": "{ metrics { rows { model } } }"})
        assert (refused.status, refused.json["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
    answered, wrong, denied = lines(path)
    assert (answered["principal"], answered["rows"], answered["codes"], answered["fields"]) == (
        "ann#t1",
        3,
        [],
        ["metrics"],
    )
    assert answered["request_id"] == shown.headers["x-request-id"]  # by it the log has more
    assert (wrong["codes"], wrong["rows"]) == (["INVALID_QUERY"], None)
    assert (denied["event"], denied["status"], denied["peer"]) == ("denied", 401, "127.0.0.1")
    assert token not in path.read_text()
    assert threading.active_count() == before
    assert tokens.all()[0].last_used_at == NOW
