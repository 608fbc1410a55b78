"""What systemd is told by a service of `Type=notify`: that it is ready, that it lives, that it stops.

The protocol is one datagram to the socket that NOTIFY_SOCKET names; see sd_notify(3).
"""

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class Notifier:
    """Says nothing where nobody listens. A socket that is gone again does no harm."""

    address: str | None = None
    every_s: float | None = None
    """How often it is to be told that the process lives; None where nobody waits for that."""
    clock: Callable[[], float] = time.monotonic
    _told_at: float = field(default=float("-inf"), init=False)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Notifier":
        address = environ.get("NOTIFY_SOCKET") or None
        if address and address[0] not in "/@":
            return cls()
        stated = environ.get("WATCHDOG_USEC", "")
        # Twice within the time after which the service is taken for hung.
        every_s = int(stated) / 2_000_000 if stated.isascii() and stated.isdigit() and int(stated) else None
        return cls(address, every_s if address else None)

    def ready(self) -> None:
        self._send("READY=1")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def alive(self) -> None:
        """To be called often; it is told as often as somebody wants to hear it."""
        if self.every_s is not None and (now := self.clock()) - self._told_at >= self.every_s:
            self._told_at = now
            self._send("WATCHDOG=1")

    def _send(self, state: str) -> None:
        if self.address is None:
            return
        name = f"\0{self.address[1:]}" if self.address[0] == "@" else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notifying:
            notifying.setblocking(False)
            notifying.sendto(state.encode(), name)
