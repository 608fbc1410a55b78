"""What days of use cost, in USD: a bill for each complete day, which replaces what was said of that day before.

An answer that says `limitReached` has left something out, and does not say what. Then a shorter time is asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b

from loaders.cell import Cell, CellError
from loaders.item import Item, Location, Note, Parsed, Rejected, WholePart
from loaders.loader import Task
from loaders.read_until import ReadUntil
from loaders.service import Object, Service
from loaders.web import Answer, TryAgainError, Web
from loaders.web_json import shown
from store import Charge, RecordError

SOURCE, VENDOR = "xai", "xai"
REPULL = timedelta(days=3)
FIRST = timedelta(days=30)
_WINDOW = timedelta(days=31)
_DAY = timedelta(days=1)
_SETTLES = timedelta(hours=3)
"""What a day used is counted for a while after it has ended."""
_MOST_SERIES = 10_000
_MOST_A_DAY = Decimal(10_000_000)
"""USD of one kind on one day; more is another unit."""
CUT = (
    "xAI says that it has left out some of the use of this day (limitReached), so what the day cost is not known; "
    "nothing of it is stored. Load the invoice as charges"
)


@dataclass(frozen=True, slots=True)
class _Point:
    group: str
    day: date
    usd: Decimal


@dataclass(frozen=True, slots=True)
class Usage:
    web: Web
    service: Service
    place: str
    team: str

    def items(self, until: ReadUntil, task: Task) -> Iterator[Item | Note]:
        """The days from the start up to today, which is not over and so has no bill yet."""
        start, today = until.start(task, REPULL, FIRST).date(), (task.now.astimezone(UTC) - _SETTLES).date()
        while start < today:
            end = min(start + _WINDOW, today)
            yield from self._days(start, end)
            start = end

    def _days(self, start: date, end: date) -> Iterator[Item | Note]:
        said = self.web.post(f"{self.place}/usage", _question(start, end), self._read)
        days = (end - start).days
        if said.get("limitReached") and days > 1:
            middle = start + days // 2 * _DAY
            yield from self._days(start, middle)
            yield from self._days(middle, end)
            return
        if said.get("limitReached"):
            yield Rejected(self._location(start), CUT)
            return
        yield from self._charges(said, start, end)

    def _charges(self, said: Object, start: date, end: date) -> Iterator[Item | Note]:
        """Only a day that was read without a gap is stated as a whole. One that is not there may come yet."""
        days: set[date | None] = set()
        gaps: set[date | None] = set()
        for day, item in self._points(said, start, end):
            (gaps if isinstance(item, Rejected) else days).add(day)
            yield item
        if None not in gaps:
            yield from (WholePart(self._part(day)) for day in days if day is not None and day not in gaps)

    def _points(self, said: Object, start: date, end: date) -> Iterator[tuple[date | None, Item]]:
        """An item for every data point, and its day; None where nobody can tell which day has a gap."""
        known: set[tuple[str, date]] = set()
        for number, series in enumerate(_series(said), start=1):
            place = Location(f"{self.service.place}, usage from {start} up to {end}, series", number)
            try:
                group, points = _group(series), _data_points(series)
            except CellError as error:
                yield None, Rejected(place, str(error), shown(series))
                continue
            for raw in points:
                try:
                    point = _point(group, raw, start, end)
                    if (group, point.day) in known:
                        raise CellError(f"{group!r} has two values for {point.day}, and which is right cannot be told")
                    known.add((group, point.day))
                    yield point.day, Parsed(self._location(point.day), (self._charge(point),))
                except (CellError, RecordError) as error:
                    yield _day_of(raw, start, end), Rejected(place, str(error), shown(raw))

    def _charge(self, point: _Point) -> Charge:
        digest = blake2b(point.group.encode(), digest_size=12).hexdigest()
        return Charge(
            charge_id=f"{SOURCE}:{self.team}:{point.day}:{digest}",
            source=SOURCE,
            category="inference",
            amount_usd=point.usd,
            starts_on=point.day,
            ends_on=point.day + _DAY,
            vendor=VENDOR,
            description=point.group[:200] or None,
            part=self._part(point.day),
        )

    def _part(self, day: date) -> str:
        return f"{self.team} | {day}"

    def _location(self, day: date) -> Location:
        return Location(f"{self.service.place}, usage of {day}")

    def _read(self, answer: Answer) -> Object:
        said = self.service.object_of(answer, "the usage of the team", self.web.clock.now())
        if not isinstance(said.get("limitReached", False), bool):
            raise TryAgainError("the answer does not say with true or false whether its limit was reached")
        if not isinstance(said.get("timeSeries"), list) or len(_series(said)) > _MOST_SERIES:
            raise TryAgainError(f"the answer has no list of at most {_MOST_SERIES:,} series under 'timeSeries'")
        return said


def _question(start: date, end: date) -> Object:
    return {
        "analyticsRequest": {
            "timeRange": {
                "startTime": f"{start} 00:00:00",
                "endTime": f"{end} 00:00:00",
                "timezone": "Etc/GMT",
            },
            "timeUnit": "TIME_UNIT_DAY",
            "values": [{"name": "usd", "aggregation": "AGGREGATION_SUM"}],
            "groupBy": ["description"],
            "filters": [],
        }
    }


def _series(said: Object) -> list[object]:
    series = said["timeSeries"]
    return series if isinstance(series, list) else []


def _group(series: object) -> str:
    group = series.get("group") if isinstance(series, dict) else None
    if not isinstance(group, list) or len(group) != 1:
        raise CellError(f"group must be a list with the description, got {ascii(group)[:100]}")
    return Cell("group", group[0]).maybe(Cell.text) or ""


def _data_points(series: object) -> list[object]:
    points = series.get("dataPoints") if isinstance(series, dict) else None
    if not isinstance(points, list):
        raise CellError(f"dataPoints must be a list, got {ascii(points)[:100]}")
    return points


def _point(group: str, raw: object, start: date, end: date) -> _Point:
    if not isinstance(raw, dict):
        raise CellError("a data point must be like {'timestamp': ..., 'values': [0.0165]}")
    at = Cell("timestamp", raw.get("timestamp")).instant()
    values = raw.get("values")
    if not isinstance(values, list) or len(values) != 1:
        raise CellError(f"values must be a list with the one value that was asked for, got {ascii(values)[:100]}")
    usd = Cell("values[0]", values[0]).usd()
    if not start <= at.date() < end or at != datetime.combine(at.date(), time(), UTC):
        raise CellError(f"timestamp {at.isoformat()} is no day from {start} up to {end}, for which was asked")
    if abs(usd) > _MOST_A_DAY:
        raise CellError(f"values[0] is {usd} USD for one day, which is no amount of money but of another unit")
    return _Point(group, at.date(), usd)


def _day_of(raw: object, start: date, end: date) -> date | None:
    try:
        day = Cell("timestamp", raw.get("timestamp") if isinstance(raw, dict) else None).instant().date()
    except CellError:
        return None
    return day if start <= day < end else None
