"""What every loader that asks a service holds: it ends right or says what to do, and no secret gets out."""

import json
import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from loaders.item import LoadError, Parsed
from loaders.job import run_load
from loaders.kinds import LOADERS
from loaders.sources import read_sources
from loaders.web import ComeBackError
from tests.loaders.http_stub import NOW, Asked, Reply
from tests.loaders.scripted import said
from tests.loaders.services import KINDS, Asking, asking
from tests.stores import new_store

ROOT = Path(__file__).parents[2]
NAMES = [kind.name for kind in KINDS]
LOADS = 25
"""With something strange in their answers."""
ASK_NOTHING_IN_JSON = "brave"
"""Only the headers of its answer are read."""


@pytest.fixture(params=NAMES)
def service(request: pytest.FixtureRequest) -> Iterator[Asking]:
    with asking(request.param) as found:
        yield found


@pytest.fixture(params=[name for name in NAMES if name != ASK_NOTHING_IN_JSON])
def json_service(request: pytest.FixtureRequest) -> Iterator[Asking]:
    with asking(request.param) as found:
        yield found


def records(service: Asking) -> int:
    return sum(len(item.records) for item in service.load() if isinstance(item, Parsed))


def test_a_limit_is_waited_for_as_long_as_the_service_asks(service: Asking) -> None:
    service.stub.script = [said(429, {"message": "slow down"}, Retry_After="42")]

    assert records(service)
    assert service.time.pauses == [42]


def test_a_limit_for_an_hour_ends_the_load_with_the_time_to_come_back(service: Asking) -> None:
    service.stub.script = [said(429, {"message": "slow down"}, Retry_After="3600")]

    with pytest.raises(ComeBackError, match="load again at 2026-11-22T13:00:01Z or later"):
        service.load()
    assert service.time.pauses == []


@pytest.mark.parametrize("status", [500, 503, 529])
def test_a_failure_that_passes_is_tried_again(service: Asking, status: int) -> None:
    service.stub.script = [Reply(status, b"oops")]

    assert records(service)
    assert service.time.pauses == [1]


def test_a_key_that_has_expired_ends_the_load_at_once_and_says_what_to_do(service: Asking) -> None:
    with pytest.raises(LoadError, match=r"the key is not accepted: it is wrong, has expired or was revoked\. Make"):
        service.load(token="wrong-0123456789:wrong-0123456789")
    assert len(service.stub.asked) == 1
    assert service.time.pauses == []


def test_without_a_key_it_says_which_one_is_needed(service: Asking) -> None:
    with pytest.raises(LoadError, match=r"a key is needed: give .* with token_env or token_file"):
        service.load(token=None)


def test_a_key_without_the_right_says_which_one_is_needed(service: Asking) -> None:
    service.stub.script = [said(403, {"error": {"message": "no access"}})]

    with pytest.raises(LoadError, match=r"the key may not read .*; it takes .* \(403: 'no access'\)"):
        service.load()
    assert len(service.stub.asked) == 1


def test_what_is_not_there_is_told(service: Asking) -> None:
    service.stub.script = [said(404, {"detail": "nothing here"})]

    with pytest.raises(LoadError, match=r"there is no such thing as .* \(404: 'nothing here'\)"):
        service.load()


@pytest.mark.parametrize(
    "page",
    [
        Reply(200, b"<html>We are having a problem</html>"),
        Reply(200, b'{"data": ['),
        Reply(200, b"[1, 2]"),
        Reply(200, b'{"data": [NaN]}'),
        Reply(200, b'{"a": 1}' * 9, cut=True),
        said(200, {"error": {"message": "the database is down"}}),
        said(200, {"error": "the database is down", "data": None}),
    ],
    ids=["html", "truncated", "list", "nan", "cut", "error", "error as text"],
)
def test_a_page_that_is_none_is_asked_for_again(json_service: Asking, page: Reply) -> None:
    json_service.stub.script = [page]

    assert records(json_service)
    assert json_service.time.pauses == [1]


def test_an_error_with_status_200_that_stays_ends_the_load(json_service: Asking) -> None:
    json_service.stub.script = [said(200, {"error": {"message": "the database is down"}})] * 6

    with pytest.raises(ComeBackError, match=r"answered 200 with an error .*: 'the database is down', 6 times"):
        json_service.load()


def test_the_second_load_changes_nothing(service: Asking) -> None:
    with new_store() as store:
        location = service.task().location
        first = run_load(store, service.kind.name, location, service.load(), now=NOW)
        assert first.stored > 0
        assert first.rejected == 0
        if service.kind.name == "brave":  # its own search is one more
            return
        again = run_load(store, service.kind.name, location, service.load(), now=NOW)

        assert (again.stored, again.rejected, again.removed, again.conflicts) == (0, 0, 0, 0)


def test_a_key_that_expires_between_two_answers_stores_nothing_and_the_cursor_stays(json_service: Asking) -> None:
    service = json_service
    service.stub.script = [lambda _: None, said(401, {"error": "expired"})]
    with new_store() as store:
        location = service.task().location
        if service.kind.name == "google":
            service.stub.rows *= 3  # type: ignore[attr-defined]
        if service.kind.name == "langfuse":
            service.stub.most_per_page = 1  # type: ignore[attr-defined]
            service.stub.observations *= 3  # type: ignore[attr-defined]
        with pytest.raises(LoadError, match="Make a new one"):
            run_load(store, service.kind.name, location, service.load(), now=NOW)
        assert store.last_cursor(service.kind.name, location) is None
        assert store.loads() == []


def test_the_key_is_in_no_error_no_item_and_no_log(service: Asking, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = service.kind.token
    hidden = [token, token.partition(":")[2] or token]
    assert not any(secret in str(service.load()) for secret in hidden)
    for reply in (
        said(401, {"error": f"Bad {token}"}),
        said(403, {"message": token}),
        said(422, {"detail": token}),
        Reply(429, token.encode()),
    ):
        service.stub.script = [reply] * 6
        with pytest.raises(LoadError) as caught:
            service.load()
        shown = "".join(traceback.format_exception(caught.value))
        assert not any(secret in shown for secret in hidden)
    assert not any(secret in caplog.text for secret in hidden)
    assert not any(secret in repr(service.task()) for secret in hidden)
    assert not any(secret in (service.cursor or "") for secret in hidden)


def test_a_redirect_to_another_place_is_not_followed(service: Asking) -> None:
    service.stub.script = [Reply(307, b"", {"Location": "https://elsewhere.example.com/"})]

    with pytest.raises(LoadError, match="which is another place; the token is not sent there"):
        service.load()


@pytest.mark.parametrize("since", ["yesterday", "2031-01-01", "1999-01-01"])
def test_a_beginning_that_cannot_be_right_is_told_at_once(json_service: Asking, since: str) -> None:
    with pytest.raises(LoadError, match="since must be"):
        json_service.load(since=since)
    assert json_service.stub.asked == []


def test_a_cursor_that_is_none_begins_anew(json_service: Asking) -> None:
    first = json_service.load()
    json_service.cursor = '{"version": 1}'

    assert len(json_service.load()) == len(first)


@pytest.mark.parametrize("name", NAMES)
def test_a_location_is_no_path_and_only_known_options_are_taken(name: str) -> None:
    loader = LOADERS[name]

    assert not loader.is_path
    with pytest.raises(LoadError, match=f"{name} has no option 'speed'"):
        loader.check_options({"speed": "1"})


_STRANGE: tuple[object, ...] = (
    None,
    True,
    -1,
    10**30,
    1e300,
    "",
    "x",
    "\ud800",
    "a\x00b",
    "9" * 3_000,
    "2026-11-19T00:00:00",
    [],
    {},
    [[]],
    {"val": None},
    [None, {"f": [{"v": {}}]}],
)


def _places(value: object, place: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Every place in a JSON value, and its own."""
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in inner:
        yield from _places(child, (*place, name))


def _with(value: Any, place: tuple[Any, ...], strange: object) -> Any:
    """The value with something strange at one place."""
    if not place:
        return strange
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _with(value[place[0]], place[1:], strange)
    return copy


def test_whatever_stands_anywhere_in_an_answer_is_an_item_or_ends_the_load(json_service: Asking) -> None:
    chance = Random(7)
    usual = json_service.stub.usual

    def strange(asked: Asked) -> Reply:
        reply = usual(asked)
        body = json.loads(reply.body)
        place = chance.choice(list(_places(body)))
        return said(reply.status, _with(body, place, chance.choice(_STRANGE)))

    for _ in range(LOADS):
        json_service.stub.script = [strange] * 3
        with suppress(LoadError):
            json_service.load(anew=True, since="2026-11-19")


def test_every_entry_of_a_file_of_sources_in_the_docs_is_one(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(sources:.*?)```", (ROOT / "docs/sources.md").read_text(), re.DOTALL)
    found: set[str] = set()
    for number, example in enumerate(examples):
        path = tmp_path / f"{number}.yaml"
        path.write_text(example)
        found |= {source.loader.name for source in read_sources(path)}

    assert found >= set(NAMES)
