"""`clawback load prices FILE --dry-run` says what would cost otherwise, and a load warns of lines in force at once."""

from pathlib import Path

import pytest

from tests.server.conftest import Run

HEADER = "price_id,provider,model,effective_from,effective_to,input,output,reason\n"
OLD = "p1,acme,big,2026-01-01,,2,10,\n"
NEW = "p2,acme,big,2026-02-01,,1,5,list price corrected\n"
CALLS = """{"provider":"acme","at":"2026-02-10T10:00:00Z","response":{"id":"r1","model":"big","usage":{"input_tokens":1000000,"output_tokens":100000}}}
{"provider":"acme","at":"2026-01-10T10:00:00Z","response":{"id":"r2","model":"big","usage":{"input_tokens":1000000,"output_tokens":100000}}}
{"provider":"acme","at":"2026-02-11T10:00:00Z","response":{"id":"r3","model":"ghost","usage":{"input_tokens":1000000,"output_tokens":0}}}
"""  # noqa: E501 - lines of a log


@pytest.fixture
def priced(run: Run, tmp_path: Path) -> Run:
    (tmp_path / "old.csv").write_text(HEADER + OLD)
    (tmp_path / "calls.jsonl").write_text(CALLS)
    assert run("load", "prices", "old.csv").code == 0
    assert run("load", "responses", "calls.jsonl").code == 0
    return run


def test_a_dry_run_tells_what_would_change_and_stores_nothing(priced: Run, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(HEADER + NEW + "g1,acme,ghost,2026-01-01,,4,0,\n")
    for _ in range(2):
        seen = priced("load", "prices", "new.csv", "--dry-run")
        assert seen.code == 0
        assert seen.out.splitlines() == [
            "prices new.csv (dry run, nothing stored): read 2  parsed 2  ignored 0  rejected 0",
            "acme big: 1 calls  before 3  after 1.5  delta -1.5 USD",
            "acme ghost: 1 calls  before 0  after 4  delta 4 USD  (1 had no price)",
            "in all: 2 calls  before 3  after 5.5  delta 2.5 USD",
        ]
        assert "warning: price line 'p2' counts before 'p1' for acme big from 2026-02-01 00:00 UTC on" in seen.err
    assert "6" in priced("query", "inference_cost").out
    loaded = priced("load", "prices", "new.csv")
    assert "warning: price line 'p2' counts before 'p1'" in loaded.err
    assert "8.5" in priced("query", "inference_cost").out


def test_prices_that_change_nothing_say_so(priced: Run) -> None:
    seen = priced("load", "prices", "old.csv", "--dry-run")
    assert (seen.out.splitlines()[-1], seen.err) == ("no stored call would cost anything else", "")


def test_without_a_store_nothing_could_change(run: Run, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text(HEADER + OLD)
    seen = run("load", "prices", "old.csv", "--dry-run")
    assert seen.code == 0
    assert "there is no store at" in seen.out
    assert not (tmp_path / "store.duckdb").exists()
