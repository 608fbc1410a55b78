"""Against a real server with the demo's data. `python -m tests.clients` starts it and says what the CLI answers."""

import json
import os
import unittest
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from clawback_client import BudgetTrigger, ClawbackClient
from clawback_client.clawback_base import ClawbackError, documents_of

FILE = os.environ.get("CLAWBACK_EXPECTED")
EXPECTED: dict[str, Any] = json.loads(Path(FILE).read_text(encoding="utf-8")) if FILE else {}


def written(value: object) -> object:
    """As the command line writes it."""
    return format(value, "f") if isinstance(value, Decimal) else value


@unittest.skipUnless(EXPECTED, "python -m tests.clients runs this with a server")
class ServerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.clawback = ClawbackClient(EXPECTED["url"], token=os.environ.get("CLAWBACK_TOKEN"))
        self.addCleanup(self.clawback.close)

    def test_costs_by_model_are_those_of_the_command_line_to_the_last_digit(self) -> None:
        found = self.clawback.cost_per_session_by_model().metrics
        assert found is not None
        names = ("model", "cost_per_session", "session_cost", "sessions", "roi")
        rows = [{name: written(getattr(row, name)) for name in names} for row in found.rows]
        self.assertEqual(rows, EXPECTED["by_model"])
        self.assertIsInstance(found.rows[0].sessions, int)

    def test_costs_by_day_are_those_of_the_command_line_to_the_last_digit(self) -> None:
        found = self.clawback.cost_per_session_by_day(EXPECTED["range"], "UTC").metrics
        assert found is not None
        names = ("time", "sessions", "session_cost", "cost_per_session")
        rows = [{name: written(getattr(row, name)) for name in names} for row in found.rows]
        self.assertEqual(rows, EXPECTED["by_day"])
        self.assertIsInstance(found.as_of, datetime)

    def test_the_roi_of_each_model_comes_with_what_stands_behind_it(self) -> None:
        graded = [row for row in self.clawback.model_roi().roi.rows if row.decision_grade]
        self.assertTrue(graded)
        for row in graded:
            assert row.roi is not None
            assert row.roi_interval is not None
            self.assertLessEqual(row.roi_interval.low, row.roi)
            self.assertGreaterEqual(row.resolved, 30)

    def test_a_router_is_told_a_row_for_each_model_that_it_named(self) -> None:
        routing = self.clawback.route(models=["claude-haiku-4-5", "never-seen"]).routing
        self.assertEqual([route.model for route in routing.models], ["claude-haiku-4-5", "never-seen"])
        self.assertEqual(routing.models[1].basis, "PRIOR")

    @unittest.skipUnless(EXPECTED.get("documents"), "the server has loaded no manifest")
    def test_documents_are_known_by_their_ids(self) -> None:
        documents = documents_of(Path(__file__).parents[1] / "persisted-documents.json")
        with ClawbackClient(EXPECTED["url"], token=os.environ.get("CLAWBACK_TOKEN"), documents=documents) as by_id:
            found = by_id.cost_per_session_by_model().metrics
        assert found is not None
        self.assertEqual(len(found.rows), len(EXPECTED["by_model"]))

    def test_the_runway_has_a_sentence(self) -> None:
        runway = self.clawback.runway().runway
        self.assertTrue(runway.sentence)
        self.assertIsInstance(runway.cash_usd, Decimal)

    def test_what_is_reserved_is_held_until_it_is_settled_or_released(self) -> None:
        before = self.held()
        may = self.clawback.may_i_spend(BudgetTrigger.CRON, max_usd=Decimal("0.25")).may_i_spend
        self.assertEqual((may.decision, may.reason), ("ALLOW", "WITHIN_LIMIT"))
        first = self.clawback.reserve(BudgetTrigger.CRON, max_usd=Decimal("0.25")).reserve.hold
        second = self.clawback.reserve(BudgetTrigger.CRON, max_usd=Decimal("0.5")).reserve.hold
        assert first is not None
        assert second is not None
        self.assertEqual(self.held() - before, Decimal("0.75"))
        settled = self.clawback.settle(first.hold_id, Decimal("1E-12")).settle
        self.assertEqual((settled.state, settled.actual_usd), ("SETTLED", Decimal("0.000000000001")))
        self.clawback.release(second.hold_id)
        self.assertEqual(self.held(), before)

    def held(self) -> Decimal:
        return self.clawback.budgets("daily").budgets[0].standings[0].held_usd

    def test_what_does_not_exist_is_refused_with_a_code(self) -> None:
        with self.assertRaises(ClawbackError) as caught:
            self.clawback.release("never reserved")
        self.assertEqual((caught.exception.code, caught.exception.is_passing), ("UNKNOWN_HOLD", False))


if __name__ == "__main__":
    unittest.main()
