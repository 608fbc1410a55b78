"""What is reserved and what was told: a small SQLite file beside the store, for what cannot wait for a load."""

from store.ledger.alerts import Alerts, EpisodeRow, ToldAlert, Watched
from store.ledger.holds import Committed, Hold, HoldError, Holds, HoldState
from store.ledger.ledger import Books, Ledger
from store.ledger.money import MOST_USD

__all__ = [
    "MOST_USD",
    "Alerts",
    "Books",
    "Committed",
    "EpisodeRow",
    "Hold",
    "HoldError",
    "HoldState",
    "Holds",
    "Ledger",
    "ToldAlert",
    "Watched",
]
