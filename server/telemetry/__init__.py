"""How the server is watched: counters for Prometheus, spans for OpenTelemetry, a log in which a request has a name."""

from server.telemetry.caches import CacheMeter
from server.telemetry.exchange import Exchange, current, phase
from server.telemetry.meters import CONTENT_TYPE, Meters
from server.telemetry.telemetry import Telemetry

__all__ = ["CONTENT_TYPE", "CacheMeter", "Exchange", "Meters", "Telemetry", "current", "phase"]
