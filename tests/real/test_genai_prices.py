"""1,577 recorded answers of a dozen providers: their usage becomes the disjoint buckets, as another reader counted it.

Beside each answer stands what the publisher's own rules found, for every provider whose shape fits. The row of the
shape that the answer has is the one to agree with; where we do not, the rule says why, and how often.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from loaders.job import run_load
from loaders.responses import read
from store import LoadReport, Request, Store
from tests.conftest import REQUIRE_ALL, SHARED
from tests.stores import new_store

pytestmark = pytest.mark.real
NOW = datetime(2026, 8, 22, tzinfo=UTC)
PATH = SHARED / "real-data" / "genai-prices-usages" / "usages.json"
Case = dict[str, Any]

THOUGHTS_IN_THE_TOTAL = "Google's chat shape hides the thoughts, which are charged; only its total has them"
NEVER_CHARGED = "zeros only: the answer says nothing of usage"


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    if not PATH.exists():
        reason = f"{PATH} is not here"
        pytest.fail(reason) if REQUIRE_ALL else pytest.skip(reason)
    return cast(list[Case], json.loads(PATH.read_text(), parse_float=Decimal))


@pytest.fixture(scope="module")
def loaded(cases: list[Case], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, LoadReport, Path]]:
    """All answers as a gateway would have logged them, loaded."""
    log = tmp_path_factory.mktemp("log") / "answers.jsonl"
    log.write_text("".join(line_of(number, case) for number, case in enumerate(cases)))
    with new_store() as store:
        yield store, load(store, log), log


@pytest.fixture(scope="module")
def requests(loaded: tuple[Store, LoadReport, Path]) -> dict[str, Request]:
    """By key; that of an answer ends with its number in the file."""
    return {stored.request.request_key: stored.request for stored in loaded[0].requests_of(None)}


def load(store: Store, log: Path) -> LoadReport:
    return run_load(store, "responses", str(log), read(log, now=NOW), now=NOW)


def line_of(number: int, case: Case) -> str:
    line = {"provider": seller(case["body"]), "at": "2026-08-21T00:00:00Z", "request_id": str(number)}
    return json.dumps(line | {"response": case["body"]}, default=float) + "\n"


def seller(body: Case) -> str:
    """Who served an answer, told by the recording's path where its shape does not."""
    usage, recording = body.get("usage") or {}, str(body["file"])
    if "cost_details" in usage or "openrouter" in recording:
        return "openrouter"
    if "usageMetadata" in body or "gemini" in str(body.get("model")):
        return "google"
    if "cache_creation_input_tokens" in usage:
        return "anthropic"
    if "inputTokens" in usage:
        return "aws"
    if "billed_units" in (body.get("meta") or usage):
        return "cohere"
    named = ("groq", "mistral", "cerebras", "deepseek", "huggingface", "zai", "ollama")
    return next((name for name in named if name in recording), "openai")


def reading_of(case: Case) -> dict[str, int]:
    """The publisher's reading of an answer: by the rules of the shape that it has."""
    body = case["body"]
    usage = body.get("usage") or body.get("meta") or {}
    rules: tuple[tuple[str, str], ...] = (("openai", "chat"), ("openai", "embeddings"))
    if "usageMetadata" in body:
        rules = (("google", "default"),)
    elif "inputTokens" in usage:
        rules = (("aws", "default"),)
    elif "input_tokens_details" in usage:
        rules = (("openai", "responses"),)
    elif "input_tokens" in usage:
        rules = (("anthropic", "default"),)
    elif "billed_units" in usage:
        rules = (("cohere", "default"), ("cohere", "embeddings"))
    found = {
        (extractor["provider_id"], extractor["api_flavor"]): cast(dict[str, int], reading["usage"])
        for reading in case["extracted"]
        for extractor in reading["extractors"]
    }
    return next(found[rule] for rule in rules if rule in found)


def test_every_answer_becomes_a_request_and_a_second_load_changes_nothing(
    loaded: tuple[Store, LoadReport, Path],
) -> None:
    store, report, log = loaded
    assert (report.read, report.stored, report.ignored, report.rejected) == (1577, 1577, 0, 0)
    again = load(store, log)
    assert (again.stored, again.unchanged, again.rejected) == (0, 1577, 0)


def test_every_answer_has_the_buckets_that_the_publisher_counted(
    cases: list[Case], requests: dict[str, Request]
) -> None:
    exceptions: Counter[str] = Counter()
    for number, case in enumerate(cases):
        request, reading = requests[f"{seller(case['body'])}:{number}"], reading_of(case)
        if request.output_tokens is None:
            assert not any(reading.values()), case
            exceptions[NEVER_CHARGED] += 1
            continue
        if request.output_tokens != reading.get("output_tokens", 0):
            usage = case["body"]["usage"]
            assert request.provider == "google", case
            assert request.output_tokens == usage["total_tokens"] - usage["prompt_tokens"], case
            exceptions[THOUGHTS_IN_THE_TOTAL] += 1
        assert inclusive_input(request) == reading.get("input_tokens", 0), case
        assert request.cache_read_tokens == reading.get("cache_read_tokens", 0), case
        assert writes(request) == reading.get("cache_write_tokens", 0), case
        assert request.cache_write_1h_tokens == reading.get("cache_write_1h_tokens", 0), case
        assert request.cache_write_5m_tokens == reading.get("cache_write_5m_tokens", writes(request)), case
    assert exceptions == {THOUGHTS_IN_THE_TOTAL: 2, NEVER_CHARGED: 1}
    assert len(cases) == 1577


def inclusive_input(request: Request) -> int:
    return (request.uncached_input_tokens or 0) + (request.cache_read_tokens or 0) + writes(request)


def writes(request: Request) -> int:
    return (request.cache_write_5m_tokens or 0) + (request.cache_write_1h_tokens or 0)


def test_cohere_counts_twice_and_what_is_billed_is_taken(cases: list[Case], requests: dict[str, Request]) -> None:
    """The publisher's rules read both counts, so its own two readings differ; a bill has the smaller one."""
    both = [(number, case) for number, case in enumerate(cases) if "tokens" in (case["body"].get("usage") or {})]
    assert len(both) == 13
    for number, case in both:
        usage, request = case["body"]["usage"], requests[f"cohere:{number}"]
        assert request.uncached_input_tokens == usage["billed_units"]["input_tokens"] < usage["tokens"]["input_tokens"]
        assert (request.cache_read_tokens, request.output_tokens) == (0, usage["billed_units"]["output_tokens"])


def test_cached_tokens_of_mistral_that_have_no_price_stay_input(
    cases: list[Case], requests: dict[str, Request]
) -> None:
    """`num_cached_tokens` is no documented field; the one that is charged at another price has another name."""
    cached = [
        (number, case["body"]["usage"])
        for number, case in enumerate(cases)
        if (case["body"].get("usage") or {}).get("num_cached_tokens")
    ]
    assert len(cached) == 29
    for number, usage in cached:
        request = requests[f"mistral:{number}"]
        assert (request.uncached_input_tokens, request.cache_read_tokens) == (usage["prompt_tokens"], 0)


def test_each_of_226_answers_of_anthropic_costs_what_the_publisher_computed(
    cases: list[Case], loaded: tuple[Store, LoadReport, Path]
) -> None:
    store = loaded[0]
    rows = store.read("SELECT request_key, cost_usd FROM requests WHERE provider = 'anthropic'").rows
    costs = {str(key): Decimal(str(cost)) for key, cost in rows}
    stated = {
        f"anthropic:{number}": Decimal(extractor["input_price"]) + Decimal(extractor["output_price"])
        for number, case in enumerate(cases)
        if seller(case["body"]) == "anthropic"
        for reading in case["extracted"]
        for extractor in reading["extractors"]
        if (extractor["provider_id"], extractor["api_flavor"]) == ("anthropic", "default")
    }
    assert {key: costs[key] for key in stated} == stated
    assert (len(stated), sum(stated.values())) == (226, Decimal("6.76000345"))


def test_an_answer_with_a_part_that_no_price_line_states_has_no_price(
    loaded: tuple[Store, LoadReport, Path], requests: dict[str, Request]
) -> None:
    """At the price of text they would cost a quarter, or less than a tenth, of what the publisher computed."""
    parts = Counter(request.unpriced_part for request in requests.values() if request.unpriced_part is not None)
    assert parts == {"audio input": 41, "image output": 5, "flex tier": 1}
    rows = loaded[0].read("SELECT DISTINCT cost_usd, cost_status FROM requests WHERE unpriced_part IS NOT NULL").rows
    assert rows == [(None, "UNPRICED")]


def test_every_answer_of_google_that_has_a_price_costs_what_the_publisher_computed(
    cases: list[Case], loaded: tuple[Store, LoadReport, Path]
) -> None:
    rows = loaded[0].read("SELECT request_key, cost_usd FROM requests WHERE cost_status = 'PRICED'").rows
    costs = {str(key): Decimal(str(cost)) for key, cost in rows}
    stated = {
        f"google:{number}": Decimal(extractor["input_price"]) + Decimal(extractor["output_price"])
        for number, case in enumerate(cases)
        if seller(case["body"]) == "google"
        for reading in case["extracted"]
        for extractor in reading["extractors"]
        if extractor["provider_id"] == "google" and "input_price" in extractor and "output_price" in extractor
    }
    priced = stated.keys() & costs.keys()
    assert {key: costs[key] for key in priced} == {key: stated[key] for key in priced}
    assert len(priced) == 389


def test_calls_that_anthropics_totals_leave_out_are_requests_of_their_own(
    loaded: tuple[Store, LoadReport, Path],
) -> None:
    """Three by an adviser and two compactions, which are billed; the publisher's rules do not read them."""
    rows = (
        loaded[0]
        .read("""
        SELECT model, count(*), sum(uncached_input_tokens), sum(cache_write_5m_tokens), sum(output_tokens),
            sum(cost_usd)
        FROM requests WHERE request_key LIKE '%#%' GROUP BY model ORDER BY model""")
        .rows
    )
    assert rows == [
        ("claude-fable-5", 1, 2564, 0, 99, Decimal("0.03059")),
        ("claude-opus-4-8", 2, 5047, 0, 60, Decimal("0.026735")),
        ("claude-sonnet-4-6", 2, 55296, 55096, 207, Decimal("0.375603")),
    ]


def test_what_openrouter_took_is_what_its_answers_cost(
    cases: list[Case], loaded: tuple[Store, LoadReport, Path]
) -> None:
    usages = [case["body"].get("usage") or {} for case in cases]
    charged = [usage for usage in usages if "cost" in usage]
    upstream = [u["cost_details"]["upstream_inference_cost"] for u in charged if u.get("is_byok")]
    rows = loaded[0].read("SELECT count(*), sum(cost_usd) FROM requests WHERE cost_status = 'BILLED'").rows
    assert rows == [(len(charged), sum(usage["cost"] for usage in charged) + sum(upstream))]
    assert rows == [(41, Decimal("0.10491095"))]
