"""The intake that the settings ask for."""

from collections.abc import Callable
from datetime import datetime

from server.access import Identify
from server.intake.intake import Intake
from server.intake.meters import IntakeMeters, IntakeState
from server.intake.payloads import PayloadDoor
from server.intake.reading import READ_S, Reading
from server.intake.receiving import Receiving
from server.intake.rights import Owners
from server.intake.routes import Door
from server.intake.sent import Sent
from server.intake.settings import IntakeSettings
from server.intake.spool import Spool
from server.settings import Settings
from server.telemetry import Meters
from store import Store

MIB = 2**20
_OWNERS = """
SELECT DISTINCT session_id, agent
FROM (
    SELECT session_id, agent FROM sessions
    UNION ALL
    SELECT session_id, agent FROM requests
)
WHERE session_id IN (SELECT unnest($sessions::VARCHAR[]))
"""


def intake_of(settings: Settings, store: Store, clock: Callable[[], datetime]) -> Intake:
    """With the spool beside the store. Whoever owns the store may have one. Raises `OSError`."""
    spool = Spool(IntakeSettings.spool_of(settings.store), settings.spool_mb * MIB)
    reading = Reading(store.stage_directory, owners_in(store), READ_S)
    return Intake(store, spool, reading, clock, is_expected=settings.otlp_port != 0)


def doors_of(
    intake: Intake, settings: Settings, identify: Identify, meters: Meters, sent: Sent | None
) -> tuple[Door, PayloadDoor]:
    """For what is read from the spool, and for what was in calls."""
    meters.registry.register(IntakeState(intake))
    receiving = Receiving(
        intake.spool, settings.intake_body_mb * MIB, settings.intake_timeout_ms / 1000, settings.intake_at_once
    )
    counted = IntakeMeters(meters.registry)
    told = (sent.told,) if sent is not None else ()
    payloads = PayloadDoor(
        intake.store,
        identify,
        counted,
        owners_in(intake.store),
        intake.clock,
        settings.payload_days,
        settings.payload_body_mb * MIB,
        settings.intake_timeout_ms / 1000,
        *told,
    )
    return Door(intake, receiving, identify, counted, *told), payloads


def owners_in(store: Store) -> Owners:
    """The agents that the store knows of sessions."""

    def owners(sessions: list[str]) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for session, agent in store.read(_OWNERS, {"sessions": sessions}).rows:
            agents = frozenset() if agent is None else frozenset({str(agent)})
            found[str(session)] = found.get(str(session), frozenset()) | agents
        return found

    return owners
