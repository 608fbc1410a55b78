"""Log events -> calls. (Nothing is read yet.)"""

from datetime import datetime

from loaders.otlp.batch import LogRecord
from store import Record

OTHER_EVENT = "a log record that tells of no call to a model"


def read_event(record: LogRecord, now: datetime) -> tuple[Record, ...] | str:
    return OTHER_EVENT
