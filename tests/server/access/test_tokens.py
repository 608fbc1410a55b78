"""Tokens: what is kept of them, who sees that they end, and the command that makes them."""

import json
import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from server.access.bearer import digest_of, is_well_formed, new_token
from server.access.given import GivenTokens
from server.access.principal import Principal
from store import StoreError
from store.tokens import NewToken, Tokens
from tests.server.conftest import Run

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def given_out(tokens: Tokens, token: str, token_id: str = "t1", **fields: object) -> None:
    made = {"name": "ann", "roles": frozenset({"router"}), "created_at": NOW, **fields}
    tokens.add(NewToken(token_id=token_id, digest=digest_of(token), **made))  # type: ignore[arg-type]


def test_a_token_has_a_prefix_for_scanners_and_a_checksum() -> None:
    token = new_token()
    assert token.startswith("clawback_")
    assert len(token) == 58
    assert token != new_token()
    assert is_well_formed(token)
    other = "a" if token[-7] != "a" else "b"
    assert not is_well_formed(f"{token[:-7]}{other}{token[-6:]}")
    cut = ("", "clawback_", token[:-1], f"{token}x")
    for wrong in (*cut, token.replace("clawback", "clawhack"), "clawback_" + "é" * 49):
        assert not is_well_formed(wrong)


def test_only_the_hash_of_a_token_is_in_the_file_which_its_owner_alone_reads(tmp_path: Path) -> None:
    token = new_token()
    with Tokens.beside(tmp_path / "store.duckdb") as tokens:
        given_out(tokens, token)
        kept = b"".join(file.read_bytes() for file in tmp_path.glob("store.duckdb.tokens*"))
        assert token.encode() not in kept
        assert token.removeprefix("clawback_")[:20].encode() not in kept
        assert digest_of(token) in kept
    assert stat.S_IMODE((tmp_path / "store.duckdb.tokens").stat().st_mode) == 0o600


def test_what_is_kept_of_a_token_comes_back_with_every_digit(tmp_path: Path) -> None:
    claims = {"agents": ("main", "scout"), "share": Decimal("0.1"), "level": 3, "is_lead": True}
    with Tokens.beside(tmp_path / "store.duckdb") as tokens:
        given_out(tokens, "a", claims=claims, expires_at=NOW + timedelta(days=1))
        (kept,) = tokens.all()
    assert kept.claims == claims
    assert (kept.roles, kept.created_at, kept.expires_at) == (frozenset({"router"}), NOW, NOW + timedelta(days=1))
    assert (kept.revoked_at, kept.last_used_at) == (None, None)
    assert "digest" not in repr(kept)


def test_a_token_opens_what_its_roles_say_until_it_ends(tmp_path: Path) -> None:
    token, now = new_token(), [NOW]
    with Tokens.beside(tmp_path / "store.duckdb") as tokens:
        given_out(tokens, token, claims={"team": "search"}, expires_at=NOW + timedelta(days=1))
        given = GivenTokens(tokens, lambda: now[0])
        assert given.principal(token) == Principal("ann#t1", frozenset({"router"}), {"team": "search"})
        assert given.principal(new_token()) is None
        now[0] = NOW + timedelta(days=1)
        assert given.principal(token) is None
        assert given.were_given


def test_a_revocation_by_another_process_is_seen_at_the_next_look(tmp_path: Path) -> None:
    token, path = new_token(), tmp_path / "store.duckdb"
    with Tokens.beside(path) as of_server, Tokens.beside(path) as of_command:
        given = GivenTokens(of_server, lambda: NOW)
        assert not given.were_given
        given_out(of_command, token)
        given.look()
        assert given.principal(token) is not None
        assert of_command.revoke("t1", NOW)
        given.look()
        assert given.principal(token) is None
        assert given.were_given  # a server does not open when its last token ends
        assert not of_command.revoke("t2", NOW)


def test_when_a_token_was_used_is_written_down_and_never_goes_back(tmp_path: Path) -> None:
    token, now = new_token(), [NOW]
    with Tokens.beside(tmp_path / "store.duckdb") as tokens:
        given_out(tokens, token)
        given = GivenTokens(tokens, lambda: now[0])
        given.principal(token)
        given.mark()
        assert tokens.all()[0].last_used_at == NOW
        tokens.mark_used({"t1": NOW - timedelta(hours=1)})
        assert tokens.all()[0].last_used_at == NOW


def test_an_admin_is_the_operator() -> None:
    assert Principal.of("ann#1", ["admin", "router"], {"team": "search"}) == Principal("ann#1", None, {})
    assert Principal.of("ann#1", ["admin"]).caller is None


def test_a_file_of_another_kind_is_told_and_left_alone(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "store.duckdb.tokens")
    other.execute("CREATE TABLE mine (x)")
    other.close()
    with pytest.raises(StoreError, match="holds no tokens of this version of Clawback; move it away"):
        Tokens.beside(tmp_path / "store.duckdb")


def test_a_token_is_printed_alone_and_the_advice_beside_it(run: Run, tmp_path: Path) -> None:
    shown = run("token", "create", "router-1", "--role", "router", "--claim", 'agents=["main"]', "--expires", "90d")
    assert shown.code == 0
    assert is_well_formed(shown.out.removesuffix("\n"))
    assert shown.out.strip() not in shown.err
    assert "Keep it: it is shown this once, and only its hash is." in shown.err
    assert "It is the first one: from now on the server lets in nobody without a token." in shown.err
    (listed,) = json.loads(run("token", "list", "--format", "json").out)
    assert (listed["name"], listed["roles"], listed["state"]) == ("router-1", ["router"], "valid")
    assert listed["claims"] == {"agents": ["main"]}
    assert run("token", "revoke", listed["id"]).code == 0
    printed = run("token", "list", "--format", "csv").out
    assert printed.startswith("id,name,roles,state,created,expires,last_used,claims\n")
    assert f"{listed['id']},router-1,router,revoked," in printed
    assert "revoked" in run("token", "list").out
    audit = [json.loads(line) for line in (tmp_path / "store.duckdb.audit.jsonl").read_text().splitlines()]
    assert [line["event"] for line in audit] == ["token created", "token revoked"]
    assert {line["token"] for line in audit} == {listed["id"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x", "--role", "rooter"), "there is no role 'rooter'; did you mean 'router'?"),
        (("x",), "Missing option '--role'"),
        (("a b", "--role", "router"), "'a b' is not a name"),
        (("x", "--role", "router", "--expires", "soon"), "'soon' is not an age such as 12h, 90d, 4w or 1y"),
        (("x", "--role", "router", "--expires", "99999y"), "is more than a century"),
        (("x", "--role", "router", "--claim", "team"), "'team' is not NAME=VALUE"),
    ],
)
def test_a_token_that_cannot_be_meant_is_not_made(run: Run, arguments: tuple[str, ...], message: str) -> None:
    shown = run("token", "create", *arguments)
    assert (shown.code, shown.out) == (2, "")
    assert message in shown.err


def test_a_token_that_is_not_there_is_told(run: Run) -> None:
    shown = run("token", "revoke", "nobody")
    assert (shown.code, "there is no token 'nobody'" in shown.err) == (1, True)
