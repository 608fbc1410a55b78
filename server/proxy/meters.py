"""What the proxy counts of itself, in a registry of its own. A label never holds what a client wrote."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest


@dataclass(slots=True)
class Meters:
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    calls: Counter = field(init=False)
    untagged: Counter = field(init=False)
    unknown_usage: Counter = field(init=False)
    refused: Counter = field(init=False)
    in_flight: Gauge = field(init=False)
    budget: Counter = field(init=False)
    lost: Counter = field(init=False)
    spool_failures: Counter = field(init=False)
    waiting: Gauge = field(init=False)
    delivered: Counter = field(init=False)
    rejected: Counter = field(init=False)
    delivery_failures: Counter = field(init=False)
    payloads: Counter = field(init=False)

    def __post_init__(self) -> None:
        registry = self.registry
        ProcessCollector(registry=registry)

        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(f"clawback_proxy_{name}", meaning, labels, registry=registry)

        self.calls = counter(
            "calls",
            "Requests that were forwarded, by how they ended: recorded, aborted (the client left), cut (the provider "
            "broke off), refused (the provider did not serve it), unreachable, other (not a call to a model).",
            "upstream",
            "outcome",
        )
        self.untagged = counter("untagged_calls", "Recorded calls that name no session.", "upstream")
        self.unknown_usage = counter("unknown_usage", "Recorded calls whose usage is not known.", "upstream", "reason")
        self.refused = counter("refused", "Requests that were not forwarded.", "reason")
        self.budget = counter("budget_answers", "What the budgets said: allow, deny, or no answer.", "answer")
        self.lost = counter("lost_calls", "Calls that went through and could not be kept.")
        self.spool_failures = counter("spool_failures", "Writes to the spool that failed; they are tried again.")
        self.delivered = counter("delivered_calls", "Calls that the server has taken.")
        self.rejected = counter("rejected_calls", "Calls that the server could not read; see rejected.ndjson.")
        self.delivery_failures = counter("delivery_failures", "Deliveries that failed; they are tried again.")
        self.payloads = counter(
            "payloads",
            "Calls whose payload was to be kept: kept (written to the spool); no_memory, no_room, failed (left out); "
            "refused (the server does not take it), expired (nobody took it in all its days).",
            "outcome",
        )
        self.in_flight = Gauge("clawback_proxy_in_flight", "Requests that are being answered.", registry=registry)
        self.waiting = Gauge("clawback_proxy_waiting_bytes", "What waits in the spool.", registry=registry)

    def page(self) -> bytes:
        """All of it in the text format of Prometheus."""
        return generate_latest(self.registry)
