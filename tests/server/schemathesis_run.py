"""Valid operations drawn from the schema of a running server: `python -m tests.server.schemathesis_run --cases 2000`.

None of them may come to an internal error. The exit code is 0 only where none did; the first that did is printed, made
as small as it could be.
"""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.graphql import nodes

from tests.server.process import serving
from tests.server.test_app import Client

TEXTS = ["main", "scout", "big", "small", "s1", "", "'", "2026-03-01", "last 30 days", "Europe/Berlin", "\u0000", "é"]
INSTANTS = ["2026-03-01T00:00:00Z", "2026-03-02T12:00:00+01:00", "1970-01-01T00:00:00Z", "2026-03-10T12:00:00Z"]
DAYS = ["2026-03-01", "2026-02-28", "1970-01-01", "9999-12-31", "0001-01-01"]
NUMBERS = ["0", "0.5", "-1", "1e3", "123456789.000000000001", "1E-12"]


@dataclass
class Drawn:
    """What came of the operations: how many had each code, and those that are faults."""

    codes: Counter[str] = field(default_factory=Counter)
    fault: str | None = None

    @property
    def cases(self) -> int:
        return self.codes.total()


def declare_scalars() -> None:
    """How the scalars of the schema are written in a document."""
    schemathesis.graphql.scalar("BigInt", st.integers(-(2**63), 2**63 - 1).map(nodes.Int))
    schemathesis.graphql.scalar("Decimal", st.sampled_from(NUMBERS).map(nodes.String))
    schemathesis.graphql.scalar("Date", st.sampled_from(DAYS).map(nodes.String))
    schemathesis.graphql.scalar("DateTime", st.sampled_from(INSTANTS).map(nodes.String))


def draw(url: str, cases: int, seed: int, *, shrinks: bool = True) -> Drawn:
    """Asks a server so many operations, the same for the same seed; stops at the first fault."""
    declare_scalars()
    schema = schemathesis.graphql.from_url(f"{url}/graphql")
    operations = [found.ok().as_strategy() for found in schema.get_all_operations()]
    client, drawn = Client(url), Drawn()
    phases = [Phase.generate, Phase.shrink] if shrinks else [Phase.generate]

    @hypothesis.seed(seed)
    @settings(
        max_examples=cases,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=phases,
        verbosity=hypothesis.Verbosity.quiet,
    )
    @given(case=st.one_of(operations))
    def ask(case: Any) -> None:
        reply = client.post({"query": case.body})
        codes = {error["extensions"]["code"] for error in reply.json.get("errors", ())} or {"OK"}
        drawn.codes.update([min(codes)])
        if reply.status >= 500 or "INTERNAL" in codes:
            drawn.fault = f"{case.body}\n{reply.status} {reply.body.decode()[:2000]}"
            raise AssertionError(drawn.fault)

    try:
        ask()
    except AssertionError:
        assert drawn.fault is not None
    return drawn


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=6)
    asked = parser.parse_args()
    with serving() as server:
        drawn = draw(server.url, asked.cases, asked.seed)
    sys.stdout.write(f"{drawn.cases:,} operations, seed {asked.seed}: {dict(drawn.codes.most_common())}\n")
    if drawn.fault:
        sys.stdout.write(f"an internal error:\n{drawn.fault}\n")
    return 1 if drawn.fault or drawn.cases < asked.cases else 0


if __name__ == "__main__":
    sys.exit(main())
