"""Random questions of random worlds: what the compiler and DuckDB answer is what the slow way gives, row by row.

`python -m tests.semantic.search` asks more of them and makes what it finds small.
"""

import os
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from tests.semantic.compare import Database, compare, difference, told
from tests.semantic.coverage import features
from tests.semantic.draw_questions import question
from tests.semantic.draw_worlds import world
from tests.semantic.draws import draws_from
from tests.semantic.search import QUESTIONS, shrunk
from tests.semantic.worlds import Case

pytestmark = pytest.mark.whole

CASES = int(os.environ.get("CLAWBACK_CASES", "1400"))
SEED = int(os.environ.get("CLAWBACK_SEED", "2026"))
PARTS = 10
NEEDED = (
    "kind sum", "kind count", "kind avg", "kind min", "kind max", "kind count_distinct",
    "kind count_distinct approximate", "kind median", "kind percentile", "kind percentile discrete",
    "kind stddev", "kind first", "kind last", "kind expr", "kind funnel rate", "kind funnel count",
    "kind funnel starts", "kind funnel time", "kind variation of a formula",
    "modifier rolling", "modifier to_date", "modifier cumulative", "modifier snapshot", "modifier shift",
    "modifier change", "modifier share", "modifier grain", "modifier rank", "modifier each", "modifier time",
    "modifier empty carry", "grain hour", "grain minute", "grain of the file", "join hops 3", "join as of",
    "join of a pair", "join one to one", "filter named", "filter having", "filter policy through joins",
)  # fmt: skip


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    made = Database()
    yield made
    made.connection.close()


def drawn(seed: int, worlds: int) -> Iterator[Case]:
    for number in range(worlds):
        draws = draws_from(Random(seed * 1_000_000 + number))
        made = world(draws)
        for _ in range(QUESTIONS):
            yield question(draws, made)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_answer_is_the_one_that_counting_by_hand_gives(database: Database, part: int) -> None:
    compared: Counter[str] = Counter()
    for case in drawn(SEED + part, CASES // QUESTIONS // PARTS):
        finding = difference(database, case)
        compared[finding.kind] += 1
        if finding.kind == "different":
            _fail(database, shrunk(database, case, finding))
    assert compared["same"] > compared.total() // 2, "most questions are answered, and nothing hides what they are"


def _fail(database: Database, case: Case) -> None:
    """Fails again, with all that is needed to see why."""
    try:
        compare(database, case)
    except Exception as error:
        error.add_note(told(case))
        raise


def test_the_questions_exercise_every_part_of_the_grammar() -> None:
    met = {word for case in drawn(SEED, 40) for word in features(case)}
    missing = [n for n in NEEDED if not any(m == n or m.startswith(f"{n} ") for m in met)]
    assert not missing
