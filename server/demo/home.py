"""Writes the demo to disk: the state directory of OpenClaw, four CSV files beside it, and what is true about them."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from server.demo.layout import state_files
from server.demo.ledger import cash_csv, charges_csv, outcomes_csv, prices_csv
from server.demo.plan import days_until, plan
from server.demo.prices import price_book
from server.demo.session import DAY, midnight_ms
from server.demo.truth import Expected, expected


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoHome:
    openclaw: Path
    charges_csv: Path
    cash_csv: Path
    outcomes_csv: Path
    prices_csv: Path
    expected: Expected


def write_home(directory: Path, *, last_day: date) -> DemoHome:
    """Write the sixty UTC days that end with `last_day`; the same day gives the same bytes.

    Raises FileExistsError where `directory` already holds an OpenClaw home: two of them would add up.
    """
    openclaw = directory / "openclaw"
    if openclaw.exists():
        raise FileExistsError(f"{openclaw} exists already: name an empty directory, or remove it first")
    sessions, days, end_ms = plan(last_day), days_until(last_day), midnight_ms(last_day) + DAY
    book = price_book(days[0])
    folders: set[Path] = set()
    for name, content in state_files(sessions, days, end_ms):
        path = openclaw / name
        if path.parent not in folders:
            path.parent.mkdir(parents=True, exist_ok=True)
            folders.add(path.parent)
        path.write_bytes(content)
    home = DemoHome(
        openclaw=openclaw,
        charges_csv=directory / "charges.csv",
        cash_csv=directory / "cash.csv",
        outcomes_csv=directory / "outcomes.csv",
        prices_csv=directory / "prices.csv",
        expected=expected(sessions, book),
    )
    for path, text in (
        (home.charges_csv, charges_csv(sessions, book, days)),
        (home.cash_csv, cash_csv(last_day)),
        (home.outcomes_csv, outcomes_csv(sessions, end_ms)),
        (home.prices_csv, prices_csv(book)),
    ):
        path.write_bytes(text.encode())
    return home
