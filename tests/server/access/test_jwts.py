"""Tokens of another issuer, whose keys a server on loopback gives: what is taken, and the known ways to cheat."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import HTTPConnection

from server.access import DeniedError
from server.access.attempts import MOST_FAILURES
from server.access.gate import NOT_VALID, Gate
from server.access.jwts import Issuer, Jwts
from server.access.key_set import KeySet
from server.access.principal import Principal
from server.access.proxy import RoleNames
from server.access.settings import ALGORITHMS

NOW = 1_800_000_000
ISSUER, AUDIENCE = "https://id.example.org/", "clawback"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS: dict[str, tuple[Any, str]] = {"r": (RSA, "RS256"), "e": (EC, "ES256"), "d": (ED, "EdDSA")}
MAKERS: dict[str, Any] = {
    "RS256": jwt.algorithms.RSAAlgorithm,
    "ES256": jwt.algorithms.ECAlgorithm,
    "EdDSA": jwt.algorithms.OKPAlgorithm,
}
SECRET = "a secret that both sides would have to share"
ROLES = RoleNames(frozenset({"finance", "router", "dashboard", "ingest", "admin"}))


def public(kid: str, key: Any, algorithm: str) -> dict[str, Any]:
    made = MAKERS[algorithm].to_jwk(key.public_key(), as_dict=True)
    return {**made, "kid": kid, "use": "sig", "alg": algorithm}


ALL_KEYS = [
    *(public(kid, key, algorithm) for kid, (key, algorithm) in KEYS.items()),
    {"kid": "s", "kty": "oct", "alg": "HS256", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"},
    {"kid": "broken", "kty": "RSA", "n": "!"},
]


class Stub:
    """What the issuer answers; the test may change it."""

    def __init__(self) -> None:
        self.status, self.body, self.asked = 200, json.dumps({"keys": ALL_KEYS}).encode(), 0
        self.headers: dict[str, str] = {}


@pytest.fixture
def stub() -> Iterator[tuple[Stub, str]]:
    said = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said.asked += 1
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *given: object) -> None:
            """Nothing on standard error."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield said, f"http://127.0.0.1:{server.server_port}/keys"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeySet:
    """From a file, which needs no thread."""
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    file.write_text(json.dumps({"keys": ALL_KEYS}))
    found = KeySet(str(file), frozenset(ALGORITHMS))
    found.look()
    return found


def jwts(keys: KeySet, now: list[float] | None = None, roles: RoleNames = ROLES) -> Jwts:
    issuer = Issuer(ISSUER, AUDIENCE, ALGORITHMS, "roles", ("team", "levels"), roles)
    at = now or [time.time()]
    return Jwts(issuer, keys, lambda: at[0])


def signed(kid: str | None = "r", key: Any = None, algorithm: str = "", **changed: Any) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 600, "roles": ["router"]}
    claims = {name: value for name, value in {**claims, **changed}.items() if value is not ...}
    own, usual = KEYS.get(kid or "r", (RSA, "RS256"))
    secret: Any = None if algorithm == "none" else key or own
    return jwt.encode(claims, secret, algorithm=algorithm or usual, headers={"kid": kid} if kid else None)


def without(name: str) -> str:
    left_out: dict[str, Any] = {name: ...}
    return signed(**left_out)


@pytest.mark.parametrize("kid", ["r", "e", "d"])
def test_a_token_that_the_issuer_signed_says_who_asks(keys: KeySet, kid: str) -> None:
    token = signed(kid, team="search", levels=[1, 2], other="unread")
    expected = Principal("jwt:ann", frozenset({"router"}), {"team": "search", "levels": (1, 2)})
    checker = jwts(keys)
    assert checker.checked(token) == expected
    assert checker.remembered(token) == expected


@pytest.mark.parametrize(
    ("given", "roles"),
    [("finance router", {"finance", "router"}), (["finance", "boss"], {"finance"}), ([], set()), (..., set())],
)
def test_roles_are_a_list_or_words_and_unknown_ones_open_nothing(keys: KeySet, given: Any, roles: set[str]) -> None:
    found = jwts(keys).checked(signed(roles=given))
    assert found is not None
    assert set(found.roles or ()) == roles


def test_where_roles_are_mapped_their_own_names_open_nothing(keys: KeySet) -> None:
    checker = jwts(keys, roles=RoleNames(ROLES.known, {"cfo-team": ("finance",)}))
    found = checker.checked(signed(roles=["cfo-team", "admin"]))
    assert found is not None
    assert found.roles == frozenset({"finance"})


PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def confused(secret: bytes, kid: str = "r") -> str:
    """Signed with the public key as if it were a shared secret; the library itself refuses to make such a token."""
    import_free = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    head = jwt.utils.base64url_encode(json.dumps({"alg": "HS256", "typ": "JWT", "kid": kid}).encode())
    body = signed().split(".")[1].encode()
    return b".".join([head, body, jwt.utils.base64url_encode(import_free.sign(head + b"." + body, secret))]).decode()


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(signed(exp=int(time.time()) - 60), id="expired"),
        pytest.param(signed(nbf=int(time.time()) + 3_600), id="not yet"),
        pytest.param(signed(iat=int(time.time()) + 3_600), id="issued in the future"),
        pytest.param(signed(iss="https://other.example.org/"), id="another issuer"),
        pytest.param(signed(aud="another"), id="another audience"),
        *(pytest.param(without(name), id=f"no {name}") for name in ("exp", "iat", "iss", "aud", "sub")),
        pytest.param(signed(sub=""), id="an empty subject"),
        pytest.param(signed(sub="a\nb"), id="a subject with a line break"),
        pytest.param(signed(sub="a" * 300), id="a long subject"),
        pytest.param(signed(roles={"a": 1}), id="roles of another form"),
        pytest.param(signed(team={"a": 1}), id="a claim of another form"),
        pytest.param(signed(key=OTHER), id="another key under a known id"),
        pytest.param(signed("x"), id="an unknown id"),
        pytest.param(signed(None), id="no id where there are several keys"),
        pytest.param(signed("e", key=RSA, algorithm="RS256"), id="an id of a key of another type"),
        pytest.param(signed("s", key=SECRET, algorithm="HS256"), id="a shared secret"),
        pytest.param(signed("r", key=SECRET, algorithm="HS256"), id="a shared secret under the id of a public key"),
        pytest.param(confused(PEM), id="the public key as a shared secret"),
        pytest.param(signed("r", key=RSA, algorithm="RS512"), id="an algorithm that is not taken"),
        pytest.param(signed("r", key=RSA, algorithm="PS256"), id="another algorithm of the same key"),
        pytest.param(signed("r", algorithm="none"), id="no signature"),
        pytest.param(signed()[:-4] + "AAAA", id="a changed signature"),
        pytest.param("a.b.c", id="no token"),
        pytest.param("..", id="nothing"),
    ],
)
def test_a_token_that_cheats_opens_nothing(keys: KeySet, token: str) -> None:
    checker = jwts(keys)
    assert checker.checked(token) is None
    assert checker.remembered(token) is None


def test_what_was_found_is_kept_for_a_minute_and_not_beyond_the_tokens_end(keys: KeySet) -> None:
    start = time.time()
    now = [start]
    checker = jwts(keys, now)
    long, short = signed(), signed(exp=int(start) + 20)
    for token in (long, short):
        assert checker.checked(token) is not None
    now[0] = start + 30
    assert (checker.remembered(long) is not None, checker.remembered(short)) == (True, None)
    now[0] = start + 61
    assert checker.remembered(long) is None


def test_keys_that_change_forget_what_was_found(stub: tuple[Stub, str]) -> None:
    said, url = stub
    keys = KeySet(url, frozenset(ALGORITHMS))
    keys.look()
    checker, token = jwts(keys), signed("e")
    assert checker.checked(token) is not None
    said.body = json.dumps({"keys": [public("r", RSA, "RS256")]}).encode()
    keys.look()
    assert checker.remembered(token) is None
    assert checker.checked(token) is None
    assert checker.checked(signed(None)) is not None  # the only key needs no id


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (500, b"", {}),
        (200, b"<html>", {}),
        (200, b'{"keys": 1}', {}),
        (200, b"[]", {}),
        (200, b'{"keys": []}' + b" " * 1_000_001, {}),
        (302, b"", {"Location": "http://127.0.0.1:9/keys"}),
    ],
)
def test_keys_that_cannot_be_read_leave_those_from_before(
    stub: tuple[Stub, str], status: int, body: bytes, headers: dict[str, str]
) -> None:
    said, url = stub
    keys = KeySet(url, frozenset(ALGORITHMS))
    keys.look()
    said.status, said.body, said.headers = status, body, headers
    keys.look()
    assert keys.key("r") is not None


def test_keys_that_could_not_be_read_for_a_day_are_dropped(stub: tuple[Stub, str]) -> None:
    said, url = stub
    seconds = [0.0]
    keys = KeySet(url, frozenset(ALGORITHMS), lambda: seconds[0])
    keys.look()
    said.status, seconds[0] = 500, 86_401.0
    keys.look()
    assert not keys.is_there


def test_an_unknown_key_is_looked_for_soon_and_not_again_and_again(stub: tuple[Stub, str]) -> None:
    said, url = stub
    keys = KeySet(url, frozenset(ALGORITHMS), least_pause_s=0.05)
    said.body = json.dumps({"keys": [public("r", RSA, "RS256")]}).encode()
    with keys.kept_going():
        assert keys.is_there
        assert said.asked == 1
        said.body = json.dumps({"keys": ALL_KEYS}).encode()
        until = time.monotonic() + 20
        while keys.key("e") is None:
            assert time.monotonic() < until, "the new key was not looked for"
            time.sleep(0.01)
    slow = KeySet(url, frozenset(ALGORITHMS))
    before = said.asked
    with slow.kept_going():
        for _ in range(1_000):
            slow.key("nobody's")
    assert said.asked == before + 1


def gate(keys: KeySet) -> Gate:
    return Gate(Principal("anybody", is_anybody=True), jwts=jwts(keys))


def shown(token: str) -> HTTPConnection:
    header = (b"authorization", f"Bearer {token}".encode())
    return HTTPConnection({"type": "http", "headers": [header], "query_string": b"", "client": ("192.0.2.1", 1)})


def test_the_gate_takes_a_jwt_and_says_no_more_of_a_wrong_one_than_of_any(keys: KeySet) -> None:
    door = gate(keys)
    assert not door.is_open
    assert door(shown(signed())).name == "jwt:ann"
    with pytest.raises(DeniedError, match=NOT_VALID) as caught:
        door(shown(signed(exp=1)))
    assert caught.value.status == 401


def test_a_valid_jwt_is_let_in_whatever_others_behind_the_same_proxy_have_tried(keys: KeySet) -> None:
    door = gate(keys)
    for _ in range(MOST_FAILURES):
        with pytest.raises(DeniedError):
            door(shown("a.b.c"))
    with pytest.raises(DeniedError) as caught:
        door(shown(signed(exp=1)))
    assert caught.value.status == 429
    assert door(shown(signed(sub="bob"))).name == "jwt:bob"


def test_before_there_are_keys_nobody_is_refused_for_good(tmp_path: Path) -> None:
    with pytest.raises(DeniedError) as caught:
        gate(KeySet(str(tmp_path / "missing.json"), frozenset(ALGORITHMS)))(shown(signed()))
    assert (caught.value.status, caught.value.headers) == (503, {"Retry-After": "5"})
