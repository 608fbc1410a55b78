"""Decides what of a call is kept, once, and counts it."""

from dataclasses import dataclass

from server.proxy.calls import Call, How
from server.proxy.meters import Meters
from server.proxy.reading import Seen
from server.proxy.reduced import has_usage
from server.proxy.spool import Spool


@dataclass(slots=True)
class Recorder:
    spool: Spool
    meters: Meters

    def record(self, call: Call, seen: Seen, how: How) -> None:
        """The first time that it is told of a call; later ones change nothing."""
        if call.is_recorded:
            return
        is_of_a_model = call.is_model_call or _tells_of_a_call(call, seen)
        line = call.line(seen, how, self.spool.once) if call.counts and is_of_a_model else None
        call.is_recorded = True
        name = call.upstream.name
        if line is None:
            self._count(name, "other" if call.counts else "refused")
        else:
            self.spool.append(line)
            self._count(name, "recorded" if how == "whole" else how)
            if call.is_untagged:
                self.meters.untagged.labels(name).inc()
            if seen.unknown is not None:
                self.meters.unknown_usage.labels(name, seen.unknown).inc()

    def left_out(self, call: Call, outcome: str) -> None:
        """A call that the upstream cannot have served."""
        if not call.is_recorded:
            call.is_recorded = True
            self._count(call.upstream.name, outcome)

    def _count(self, upstream: str, outcome: str) -> None:
        self.meters.calls.labels(upstream, outcome).inc()


def _tells_of_a_call(call: Call, seen: Seen) -> bool:
    """An answer of an address that is not known as one of models, and that has a usage of its own nevertheless."""
    response = seen.response
    return call.is_posted and response is not None and has_usage(response) and bool(response.get("id"))
