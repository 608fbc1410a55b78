"""Alerts as JSON to an address of one's own, signed so that the receiver can tell them from anybody else's.

The headers are those of the Standard Webhooks specification (standardwebhooks.com), so that receivers can check them
with a library: `webhook-id`, `webhook-timestamp`, and `webhook-signature: v1,<base64 of the HMAC-SHA256 of
"id.timestamp.body">`. The id is the alert's own and stays the same when it is sent again.
"""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from finance.budgets import Alert
from server.alerts.channel import UntoldError
from server.alerts.keys import key_of
from server.alerts.post import PASSING, exchange
from server.alerts.words import instant, sentence
from server.budgets.standing_json import standing_json


@dataclass(frozen=True, slots=True)
class Webhook:
    url: str = field(repr=False)
    """It may be a secret in itself."""
    clock: Callable[[], datetime]
    secret: str | None = field(default=None, repr=False)
    """Without one, nothing is signed."""
    whole_s: float = 20.0

    @property
    def name(self) -> str:
        return "webhook"

    @property
    def is_for_people(self) -> bool:
        return False

    def tell(self, alert: Alert) -> None:
        """Any status of 2xx means that it was taken."""
        body = json.dumps(alert_json(alert)).encode()
        headers = {"Content-Type": "application/json"} | self._signed(alert.alert_id, body)
        secrets = (self.url, *((self.secret,) if self.secret else ()))
        reply = exchange("POST", self.url, headers=headers, body=body, secrets=secrets, whole_s=self.whole_s)
        if 200 <= reply.status < 300:
            return
        if 300 <= reply.status < 400:
            raise UntoldError(f"the receiver answered {reply.status}; redirects are not followed", is_lasting=True)
        is_lasting = reply.status not in PASSING
        raise UntoldError(f"the receiver answered {reply.status}", pause_s=reply.pause_s(), is_lasting=is_lasting)

    def _signed(self, alert_id: str, body: bytes) -> dict[str, str]:
        name = "alert_" + sha256(alert_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        sent_at = str(int(self.clock().timestamp()))
        headers = {"webhook-id": name, "webhook-timestamp": sent_at}
        if self.secret:
            digest = hmac.digest(key_of(self.secret), f"{name}.{sent_at}.".encode() + body, "sha256")
            headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
        return headers


def alert_json(alert: Alert) -> dict[str, object]:
    """An alert for programs; money as text, instants in UTC."""
    return {
        "alert_id": alert.alert_id,
        "kind": alert.kind,
        "threshold": None if alert.threshold is None else format(alert.threshold, "f"),
        "at": instant(alert.at),
        "text": sentence(alert),
        "standing": standing_json(alert.standing),
    }
