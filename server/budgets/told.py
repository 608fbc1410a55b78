"""Alerts as the ledger keeps them: what stood when they were told, as JSON, and an id that tells repetitions."""

from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson

from finance.budgets import Alert, Standing
from server.budgets.standing_json import standing_json, standing_of
from store.ledger import ToldAlert


def alert_of(standing: Standing, kind: Any, threshold: Decimal | None, at: datetime, episode: int) -> Alert:
    """`episode` tells apart what happened several times in one window."""
    happening = [
        standing.budget_id,
        standing.member,
        standing.window.starts_at.isoformat(),
        kind,
        None if threshold is None else str(threshold.normalize()),
        episode,
    ]
    return Alert(
        alert_id=sha256(orjson.dumps(happening)).hexdigest()[:32],
        kind=kind,
        standing=standing,
        threshold=threshold,
        at=at,
    )


def kept(alert: Alert) -> ToldAlert:
    standing = alert.standing
    return ToldAlert(
        alert_id=alert.alert_id,
        at=alert.at,
        kind=alert.kind,
        budget_id=standing.budget_id,
        member=standing.member,
        starts_at=standing.window.starts_at,
        threshold=alert.threshold,
        standing=orjson.dumps(standing_json(standing)).decode(),
    )


def read_back(told: ToldAlert) -> Alert:
    return Alert(
        alert_id=told.alert_id,
        kind=told.kind,
        standing=standing_of(orjson.loads(told.standing)),
        threshold=told.threshold,
        at=told.at,
    )
