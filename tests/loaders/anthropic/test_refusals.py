"""Where Anthropic refuses or says what cannot be, the load ends right or says what to do; nothing is stored then."""

import json
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from loaders import anthropic
from loaders.item import LoadError, Parsed, Rejected
from loaders.job import run_load
from loaders.loader import Task
from loaders.web import Clock
from tests.loaders.anthropic.conftest import Load
from tests.loaders.anthropic.stub import KEY, Anthropic, cost, refused, use
from tests.loaders.http_stub import NOW, Asked, Reply, Time
from tests.stores import new_store


@pytest.fixture(autouse=True)
def one_line(provider: Anthropic) -> None:
    provider.costs = {"2026-11-19": [cost("1")]}


def page(buckets: Any, has_more: object = False, next_page: object = None) -> Reply:
    return Reply(200, json.dumps({"data": buckets, "has_more": has_more, "next_page": next_page}).encode())


def bucket(start: str, end: str, results: Any = ()) -> dict[str, Any]:
    return {"starting_at": start, "ending_at": end, "results": list(results)}


DAY = bucket("2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z")


@pytest.mark.parametrize(
    ("reply", "pauses"),
    [
        (refused(429, "rate_limit_error", "Slow down", Retry_After="42"), [42]),
        (refused(500, "api_error", "Internal"), [1]),
        (refused(529, "overloaded_error", "Overloaded"), [1]),
        (Reply(200, b'{"data": [], "has_more"', cut=True), [1]),
        (Reply(200, b"<html>We are having a problem</html>"), [1]),
        (Reply(200, b'{"type": "error", "error": {"type": "api_error", "message": "No"}}'), [1]),
        (page([], has_more=True), [1]),
        (page({}), [1]),
        (page([], has_more="no"), [1]),
    ],
    ids=["429", "500", "529", "cut", "html", "200 with an error", "more and not where", "no list", "no flag"],
)
def test_what_passes_is_waited_for(
    provider: Anthropic, load: Load, time: Time, reply: Reply, pauses: list[float]
) -> None:
    provider.script = [reply]

    assert len([item for item in load(reports="costs") if isinstance(item, Parsed)]) == 1
    assert time.pauses == pauses


def test_an_hour_of_429_ends_the_load_and_says_when_to_come_back(provider: Anthropic, load: Load, time: Time) -> None:
    provider.script = [refused(429, "rate_limit_error", "Slow down", Retry_After="3600")]

    with pytest.raises(LoadError, match="answered 429; load again at 2026-11-22T13:00:01Z or later"):
        load()
    assert time.pauses == []


THE_KEY = "an Admin API key (sk-ant-admin...), which an admin of the organisation makes in the Console"
PUT_IT = "put it where this source's token is kept, load again"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (
            refused(401, "authentication_error", "invalid x-api-key"),
            f"the key is not accepted: it is wrong, has expired or was revoked. Make a new one ({THE_KEY}), {PUT_IT}",
        ),
        (
            refused(403, "permission_error", "No"),
            f"the key may not read the cost report; it takes {THE_KEY} (403: 'No')",
        ),
        (
            refused(400, "invalid_request_error", "limit: must be at most 31"),
            "the cost report cannot be read (400: 'limit: must be at most 31')",
        ),
    ],
    ids=["401", "403", "400"],
)
def test_a_refusal_says_what_to_do_and_is_not_tried_again(
    provider: Anthropic, load: Load, reply: Reply, said: str
) -> None:
    provider.script = [reply]

    with pytest.raises(LoadError) as caught:
        load()
    assert str(caught.value).startswith(f"anthropic acme: {said}")
    assert len(provider.asked) == 1


def test_a_key_that_expires_between_two_pages_stores_nothing_and_the_cursor_stays(
    provider: Anthropic, clock: Clock
) -> None:
    provider.days_on_a_page = 1
    provider.script = [lambda _: None, refused(401, "authentication_error", "expired")]
    task = Task("acme", NOW, {"url": provider.url, "since": "2026-11-19"}, None, KEY)
    with new_store() as store:
        with pytest.raises(LoadError, match="has expired"):
            run_load(store, "anthropic", "acme", anthropic.read(task, clock), now=NOW)
        assert store.read("SELECT count(*) FROM charges").rows == [(0,)]
        assert store.last_cursor("anthropic", "acme") is None

        run_load(store, "anthropic", "acme", anthropic.read(task, clock), now=NOW)
        assert store.read("SELECT count(*) FROM charges").rows == [(1,)]


def test_a_page_that_leads_to_itself_ends_the_load(provider: Anthropic, load: Load) -> None:
    provider.script = [page([], has_more=True, next_page="page_x")] * 2

    with pytest.raises(LoadError, match="anthropic acme, the cost report: page 2 leads back to one that was read"):
        load()


def test_a_page_that_repeats_for_ever_under_new_names_ends_the_load(provider: Anthropic, load: Load) -> None:
    names = iter(range(100))

    def again(_: Asked) -> Reply:
        return page([DAY], has_more=True, next_page=f"page_{next(names)}")

    provider.script = [again] * 5

    with pytest.raises(LoadError, match="page 2:1: has 2026-11-19 a second time; the pages overlap"):
        load()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Tuesday", "must be an object, got 'Tuesday'"),
        (bucket("2026-11-19", "2026-11-20"), "has no zone"),
        (bucket("2026-11-19T00:00:00Z", "2026-11-21T00:00:00Z"), "must be the ends of one UTC day"),
        (bucket("2026-11-19T06:00:00Z", "2026-11-20T06:00:00Z"), "must be the ends of one UTC day"),
        ({**DAY, "results": None}, "results must be a list of rows, got None"),
    ],
)  # fmt: skip
def test_a_bucket_that_is_no_day_is_rejected(provider: Anthropic, load: Load, said: Any, reason: str) -> None:
    provider.script = [page([said])]

    [rejected] = [item for item in load(reports="costs") if isinstance(item, Rejected)]
    assert reason in rejected.reason
    assert str(rejected.location) == "anthropic acme, costs, page 1:1"


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (None, "a key is needed: give an Admin API key"),
        ("", "a key is needed: give an Admin API key"),
        ("sk-ant-api03-secretSECRETsecret", "this is a key for calling models, which may not read what they cost"),
        ("sk-ant-admin01-two words", "the token must be one word of plain ASCII characters"),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_right_is_said_before_anything_is_asked(
    provider: Anthropic, token: str | None, said: str
) -> None:
    with pytest.raises(LoadError) as caught:
        anthropic.read(Task("acme", NOW, {"url": provider.url}, None, token))
    assert said in str(caught.value)
    assert not token or token not in str(caught.value)
    assert provider.asked == []


@pytest.mark.parametrize(
    ("location", "options", "said"),
    [
        ("acme/shop", {}, "anthropic is loaded for an account, under the name that you give it, such as acme"),
        ("acme", {"reports": "invoices"}, "the option reports takes costs, usage, claude-code, got 'invoices'"),
        ("acme", {"reports": " "}, "the option reports must name at least one of costs, usage, claude-code"),
        ("acme", {"amounts": "cents"}, "the option amounts must be one of checked, unchecked, got 'cents'"),
        ("acme", {"since": "yesterday"}, "since must be an instant like"),
        ("acme", {"since": "2027-01-01"}, "since must be a day from 2020-01-01 up to now"),
        ("acme", {"url": "http://api.anthropic.com"}, "url must begin with https://"),
    ],
)
def test_what_cannot_be_right_is_said_before_anything_is_asked_for(
    location: str, options: dict[str, str], said: str
) -> None:
    with pytest.raises(LoadError) as caught:
        anthropic.read(Task(location, NOW, options, None, KEY))
    assert str(caught.value).startswith(said)


def test_an_oauth_token_is_sent_as_a_bearer(provider: Anthropic, load: Load) -> None:
    provider.key = "sk-ant-oat01-secretSECRETsecret0123456789"

    load(token=provider.key, reports="costs")

    assert provider.asked[0].headers["authorization"] == f"Bearer {provider.key}"
    assert "x-api-key" not in provider.asked[0].headers


def test_the_key_is_in_no_error_and_no_item(provider: Anthropic, load: Load, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    provider.costs = {"2026-11-19": [cost(KEY)]}
    assert KEY not in repr(load(reports="costs"))
    for reply in [refused(401, "x", KEY), refused(403, "x", KEY), Reply(200, f"<{KEY}".encode())]:
        provider.script = [reply] * 6
        with pytest.raises(LoadError) as caught:
            load(reports="costs")
        assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in caplog.text


A_MILLION = use(1_000_000, 0, 0, 0, 100_000)
"""Of Sonnet: $3 and $1.50 at list price."""


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        (["4.5"], "100 times less: dollars may have been read as cents"),
        (["45000"], "100 times more: cents, or a smaller unit, may have been read as dollars"),
        (["450000000"], "1,000,000 times more: cents, or a smaller unit, may have been read as dollars"),
    ],
)
def test_amounts_that_are_a_hundred_times_off_are_refused(
    provider: Anthropic, load: Load, amounts: list[str], said: str
) -> None:
    provider.costs = {"2026-11-19": [cost(amount) for amount in amounts]}
    provider.usage = {"2026-11-19": [A_MILLION]}

    with pytest.raises(LoadError) as caught:
        load()
    assert "worth $4.50 at list price" in str(caught.value)
    assert f"That is {said}" in str(caught.value)
    assert "Nothing is stored; if the amounts are right, set the option amounts to unchecked" in str(caught.value)

    assert load(amounts="unchecked")


@pytest.mark.parametrize(
    ("cents", "tokens"),
    [
        ("450", A_MILLION),
        ("225", A_MILLION),
        ("900", A_MILLION),
        ("0", A_MILLION),
        ("4.5", A_MILLION | {"model": "claude-of-tomorrow"}),
        ("4.5", A_MILLION | {"service_tier": "priority"}),
        ("0.01", use(1_000, 0, 0, 0, 100)),
    ],
    ids=["list", "batch", "long context", "free", "unknown model", "committed capacity", "next to nothing"],
)  # fmt: skip
def test_amounts_that_can_be_are_taken(
    provider: Anthropic, load: Callable[..., list[Any]], cents: str, tokens: dict[str, Any]
) -> None:
    provider.costs, provider.usage = {"2026-11-19": [cost(cents)]}, {"2026-11-19": [tokens]}

    assert len([item for item in load() if isinstance(item, Parsed)]) == 2
