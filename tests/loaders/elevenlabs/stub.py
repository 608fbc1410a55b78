"""ElevenLabs: seconds in one answer, milliseconds in the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.loaders.http_stub import Asked, Reply
from tests.loaders.scripted import Scripted, place, query, said

TOKEN = "el_0123456789abcdef"


@dataclass
class ElevenLabs(Scripted):
    subscription: dict[str, Any] = field(
        default_factory=lambda: {
            "tier": "creator",
            "character_count": 41250,
            "character_limit": 100000,
            "max_credit_limit_extension": "unlimited",
            "can_extend_character_limit": True,
            "next_character_count_reset_unix": 1797552000,
            "voice_slots_used": 3,
            "currency": "usd",
            "status": "active",
            "billing_period": "monthly_period",
            "character_refresh_period": "monthly_period",
            "current_overage": {"amount": "0", "currency": "usd"},
            "next_invoice": {"amount_due_cents": 2200, "subtotal_cents": 2200, "tax_cents": 0},
        }
    )
    use: Mapping[str, Mapping[int, object]] = field(
        default_factory=lambda: {
            "fleet-key": {1795046400000: 1250.0, 1795132800000: 0.0},
            "other": {1795046400000: 0.0, 1795132800000: 310.0},
        }
    )
    """Key -> start of a day in milliseconds -> credits."""

    def key(self) -> tuple[str, str]:
        return "xi-api-key", TOKEN

    def usual(self, asked: Asked) -> Reply:
        if place(asked) == "/v1/user/subscription":
            return said(200, self.subscription)
        if place(asked) != "/v1/usage/character-stats":
            return said(404, {"detail": {"status": "not_found", "message": "Not Found"}})
        wanted = query(asked)
        assert (wanted["aggregation_interval"], wanted["breakdown_type"], wanted["metric"]) == (
            "day",
            "api_keys",
            "credits",
        )
        start, end = int(wanted["start_unix"]), int(wanted["end_unix"])
        assert start > 10**12, "milliseconds"
        times = sorted({at for days in self.use.values() for at in days if start <= at < end})
        usage = {key: [days.get(at, 0.0) for at in times] for key, days in self.use.items()}
        return said(200, {"time": times, "usage": usage})
