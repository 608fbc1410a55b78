"""The door: which of the ways to show oneself counts, and that whoever shows nothing learns nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.requests import HTTPConnection

from semantic import load_catalog
from server.access import DeniedError
from server.access.attempts import MOST_FAILURES, Attempts
from server.access.bearer import digest_of, new_token
from server.access.gate import NOT_VALID, Gate
from server.access.given import GivenTokens
from server.access.making import BindingError, check_binding, gate_of
from server.access.principal import Principal, known_roles
from server.access.proxy import RoleNames, TrustedProxy
from server.access.settings import AccessSettings
from server.settings import Settings
from store.tokens import NewToken, Tokens
from tests.server.conftest import REPOSITORY

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ANYBODY = Principal("anybody", is_anybody=True)
TOKEN, REVOKED = new_token(), new_token()


def connection(*headers: tuple[str, str], peer: str = "127.0.0.1", query: bytes = b"") -> HTTPConnection:
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return HTTPConnection({"type": "http", "headers": raw, "query_string": query, "client": (peer, 4000)})


def bearer(token: str, peer: str = "127.0.0.1") -> HTTPConnection:
    return connection(("Authorization", f"Bearer {token}"), peer=peer)


def denied(gate: Gate, asked: HTTPConnection, token: str | None = None) -> DeniedError:
    with pytest.raises(DeniedError) as caught:
        gate(asked, token)
    return caught.value


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[Tokens]:
    with Tokens.beside(tmp_path / "store.duckdb") as opened:
        yield opened


@pytest.fixture
def closed(tokens: Tokens) -> Gate:
    for token_id, token in (("t1", TOKEN), ("t2", REVOKED)):
        roles = frozenset({"router"})
        tokens.add(NewToken(token_id=token_id, name="ann", digest=digest_of(token), roles=roles, created_at=NOW))
    tokens.revoke("t2", NOW)
    return Gate(ANYBODY, "the key", GivenTokens(tokens, lambda: NOW))


def test_without_tokens_whoever_is_on_this_machine_asks(tokens: Tokens) -> None:
    gate = Gate(ANYBODY, "the key", GivenTokens(tokens, lambda: NOW))
    assert gate.is_open
    assert gate(connection()) == ANYBODY


def test_an_open_server_is_not_open_through_a_proxy(tokens: Tokens) -> None:
    gate = Gate(ANYBODY, "the key", GivenTokens(tokens, lambda: NOW))
    refused = denied(gate, connection(("X-Forwarded-For", "203.0.113.9")))
    assert (refused.status, "came through a proxy" in str(refused)) == (403, True)


def test_the_first_token_closes_the_server(closed: Gate) -> None:
    assert not closed.is_open
    refused = denied(closed, connection())
    assert (refused.status, refused.code) == (401, "UNAUTHENTICATED")
    assert refused.headers == {"WWW-Authenticate": 'Bearer realm="clawback"'}


def test_a_token_says_who_asks_in_a_header_and_in_a_message(closed: Gate) -> None:
    ann = Principal("ann#t1", frozenset({"router"}))
    assert closed(bearer(TOKEN)) == ann
    assert closed(connection(("authorization", f"bearer {TOKEN}"))) == ann
    assert closed(connection(), TOKEN) == ann


@pytest.mark.parametrize(
    "token",
    [REVOKED, new_token(), "clawback_x", "x", "a.b.c", "é", "x" * 9_000],
    ids=["revoked", "unknown", "short", "letter", "like a JWT", "not ASCII", "long"],
)
def test_a_token_that_opens_nothing_is_told_in_the_same_words_whatever_the_reason(closed: Gate, token: str) -> None:
    refused = denied(closed, connection(), token)
    assert (refused.status, str(refused)) == (401, NOT_VALID)
    assert refused.headers == {"WWW-Authenticate": 'Bearer realm="clawback", error="invalid_token"'}


@pytest.mark.parametrize(
    "asked",
    [
        connection(("Authorization", "Basic YTpi")),
        connection(("Authorization", "Bearer")),
        connection(("Authorization", f"Bearer {TOKEN}"), ("Authorization", f"Bearer {TOKEN}")),
        connection(("Authorization", f"Bearer {'x' * 9_000}")),
        connection(query=f"access_token={TOKEN}".encode()),
        connection(("Authorization", f"Bearer {TOKEN}"), query=f"query={{a}}&Token={TOKEN}".encode()),
    ],
)
def test_a_token_that_comes_in_another_way_is_refused(closed: Gate, asked: HTTPConnection) -> None:
    assert denied(closed, asked).status == 401


def test_the_key_of_the_command_line_is_the_operators(closed: Gate) -> None:
    assert closed(bearer("the key")) == Principal("operator")
    closed.anybody = Principal("anybody", frozenset({"finance"}), is_anybody=True)
    assert closed(bearer("the key")).roles == frozenset({"finance"})


def test_no_key_is_no_key(closed: Gate) -> None:
    closed.key = ""
    assert denied(closed, connection(), "").status == 401


def test_settings_may_leave_a_server_open_and_a_token_still_says_who_asks(closed: Gate) -> None:
    closed.is_opened = True
    assert closed(connection()) == ANYBODY
    assert closed(bearer(TOKEN)).name == "ann#t1"
    assert denied(closed, bearer(REVOKED)).status == 401


def test_too_many_attempts_from_one_address_are_refused_and_a_valid_token_is_let_in(closed: Gate) -> None:
    seconds, told = [0.0], []
    closed.attempts = Attempts(lambda: seconds[0])
    closed.on_denied = lambda peer, status, message: told.append((peer, status))
    for _ in range(MOST_FAILURES):
        assert denied(closed, bearer("x", "192.0.2.1")).status == 401
    refused = denied(closed, bearer("x", "192.0.2.1"))
    assert (refused.status, refused.code, refused.headers) == (429, "TOO_MANY_ATTEMPTS", {"Retry-After": "61"})
    assert closed(bearer(TOKEN, "192.0.2.1")).name == "ann#t1"
    assert denied(closed, bearer("x", "192.0.2.2")).status == 401
    seconds[0] = 60.0
    assert denied(closed, bearer("x", "192.0.2.1")).status == 401
    assert told.count(("192.0.2.1", 401)) == MOST_FAILURES + 1


def test_however_many_addresses_fail_the_memory_is_bounded() -> None:
    attempts = Attempts(lambda: 0.0)
    for n in range(20_000):
        attempts.failed(f"10.{n // 65536}.{n // 256 % 256}.{n % 256}")
    assert len(attempts._of) == 10_000


ROLES = RoleNames(frozenset({"finance", "router", "admin"}), {"cfo-team": ("finance",), "root": ("admin",)})


def proxied(closed: Gate) -> Gate:
    settings = AccessSettings(proxy_peers="10.0.0.7, 2001:db8::/64")
    made = gate_of(settings, CATALOG, closed.tokens._tokens, lambda: NOW, ANYBODY)  # type: ignore[union-attr]
    assert made.proxy is not None
    closed.proxy = TrustedProxy(made.proxy.peers, "X-Forwarded-User", "X-Forwarded-Groups", ROLES)
    return closed


CATALOG = load_catalog((REPOSITORY / "metrics.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("peer", ["10.0.0.7", "::ffff:10.0.0.7", "2001:db8::5"])
def test_a_trusted_proxy_says_who_asks(closed: Gate, peer: str) -> None:
    asked = connection(("X-Forwarded-User", "robert"), ("X-Forwarded-Groups", "cfo-team, staff,finance"), peer=peer)
    assert proxied(closed)(asked) == Principal("proxy:robert", frozenset({"finance"}))


def test_a_group_may_be_the_operators(closed: Gate) -> None:
    asked = connection(("X-Forwarded-User", "ada"), ("X-Forwarded-Groups", "root"), peer="10.0.0.7")
    assert proxied(closed)(asked) == Principal("proxy:ada")


@pytest.mark.parametrize("peer", ["10.0.0.8", "127.0.0.1", "", "testclient"])
def test_the_words_of_a_proxy_from_anybody_else_are_refused(closed: Gate, peer: str) -> None:
    asked = connection(("X-Forwarded-User", "robert"), ("Authorization", f"Bearer {TOKEN}"), peer=peer)
    refused = denied(proxied(closed), asked)
    assert (refused.status, "from the trusted proxy alone" in str(refused)) == (403, True)


@pytest.mark.parametrize(
    "headers",
    [
        (("X-Forwarded-User", "ann"), ("X-Forwarded-User", "bob")),
        (("X-Forwarded-User", ""),),
        (("X-Forwarded-User", "a" * 300),),
        (("X-Forwarded-User", "a\tb"),),
        (("X-Forwarded-Groups", "finance"),),
        (("X-Forwarded-User", "ann"), ("X-Forwarded-Groups", ",".join("g" for _ in range(101)))),
    ],
)
def test_a_proxy_that_names_nobody_clearly_is_refused(closed: Gate, headers: tuple[tuple[str, str], ...]) -> None:
    assert denied(proxied(closed), connection(*headers, peer="10.0.0.7")).status == 401


def test_a_proxy_without_its_headers_is_nobody(closed: Gate) -> None:
    assert denied(proxied(closed), connection(peer="10.0.0.7")).status == 401


def test_a_server_for_other_machines_needs_a_way_to_tell_who_asks(tokens: Tokens) -> None:
    settings = Settings(host="0.0.0.0")

    def made() -> Gate:
        return gate_of(settings, CATALOG, tokens, lambda: NOW, settings.anybody)

    with pytest.raises(BindingError, match=r"clawback token create NAME --role ROLE"):
        check_binding(settings, made())
    tokens.add(
        NewToken(token_id="t", name="a", digest=b"x", roles=frozenset({"router"}), created_at=NOW),
    )
    with Tokens.open(Path(tokens._name)) as opened:
        check_binding(settings, gate_of(settings, CATALOG, opened, lambda: NOW, settings.anybody))


def test_the_roles_are_those_of_clawback_and_of_the_file() -> None:
    assert known_roles(CATALOG) == {"finance", "router", "dashboard", "ingest", "admin"}
    own = load_catalog(
        "models: {s: {source: t, key: k}}\nmetrics: {n: {count: s, access: [staff]}}\n"
        "policies: {own: {model: s, rows: 'a = :caller.a', unless: [lead]}}"
    )
    assert known_roles(own) >= {"staff", "lead", "router"}
