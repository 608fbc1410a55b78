"""The rules for outcomes, from the catalog to the store, which knows nothing of catalogs."""

from datetime import timedelta

from semantic import Catalog
from semantic.outcome import minutes, window_of
from store import OutcomeRule


def outcome_rules(catalog: Catalog) -> tuple[OutcomeRule, ...]:
    """As plain values, each with the window that it has or borrows."""
    return tuple(
        OutcomeRule(
            kind=kind,
            is_success=rule.success,
            is_idle=rule.is_idle,
            is_awaiting=bool(rule.awaits),
            window=_length(window_of(catalog.outcomes, kind)),
            reverses=rule.reverses,
            within=None if rule.within is None else _length(minutes(rule.within)),
        )
        for kind, rule in catalog.outcomes.items()
    )


def _length(found: int | None) -> timedelta | None:
    return None if found is None else timedelta(minutes=found)
