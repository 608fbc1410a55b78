"""`clawback sql --dialect`: the same question in the words of another engine."""

import sqlglot

from tests.server.conftest import Run


def test_the_sql_can_be_printed_for_another_engine(loaded: Run) -> None:
    printed = loaded("sql", "median_session_cost", "--by", "model", "--dialect", "postgres")
    assert printed.code == 0
    assert 'PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY "sessions"."cost_usd")' in " ".join(printed.out.split())
    assert sqlglot.parse_one(printed.out, read="postgres")


def test_what_an_engine_cannot_say_is_refused(loaded: Run) -> None:
    refused = loaded("sql", "median_session_cost", "--dialect", "bigquery")
    assert refused.code != 0
    assert "no exact percentile" in refused.err
