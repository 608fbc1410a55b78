"""Points of metrics -> counts to compare calls with. (Nothing is read yet.)"""

from datetime import datetime

from loaders.otlp.batch import Point
from loaders.otlp.checks import OTHER_METRIC
from store import Record


def read_point(point: Point, now: datetime) -> tuple[Record, ...] | str:
    return OTHER_METRIC
