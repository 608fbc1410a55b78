"""The arguments in which `query`, `sql` and `explain` ask: metrics, cuts, time, filters. Text in, MetricQuery out."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import click

from semantic import Catalog, MetricQuery, Order, QueryError, TimeRange, local_day, midnight, parse_filter, zone_names
from semantic.ranges import parse_range

Command = Callable[..., None]

OPTIONS = (
    click.argument("metrics", nargs=-1, required=True, metavar="METRIC..."),
    click.option(
        "--by", multiple=True, metavar="DIM", help="Cut by a dimension, or a part of the time such as time.weekday."
    ),
    click.option("--grain", metavar="NAME", help="One row for each period, such as day, month or one of the file."),
    click.option("--since", metavar="TIME", help="From this day or instant on, such as 2026-03-01."),
    click.option("--until", metavar="TIME", help="Up to and without this day or instant."),
    click.option("--range", "words", metavar="TEXT", help="Whole days in words: 'this month', '2026-Q1', 'last week'."),
    click.option("--last", metavar="TEXT", help="The last whole days, weeks or months: --last '30 days'."),
    click.option("--where", metavar="EXPR", help="A filter, such as \"agent = 'main' and trigger in ('cron')\"."),
    click.option("--filter", "filters", multiple=True, metavar="NAME", help="A filter that the file names."),
    click.option("--having", metavar="EXPR", help='Which rows are shown, such as "sessions >= 10".'),
    click.option("--order", metavar="NAME[:desc]", multiple=True, help="Order by something that is asked for."),
    click.option("--zone", metavar="Z", help="The time zone that days are cut in; default: the file's."),
    click.option("--as-of", metavar="DAY", help="The day on which it is asked; default: today."),
    click.option("--limit", type=int, default=1000, show_default=True, help="At most so many rows."),
)


def question_options(command: Command) -> Command:
    """Adds the arguments of a question to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def read_question(
    catalog: Catalog,
    now: datetime,
    *,
    metrics: tuple[str, ...],
    by: tuple[str, ...],
    grain: str | None,
    since: str | None,
    until: str | None,
    words: str | None,
    last: str | None,
    where: str | None,
    filters: tuple[str, ...],
    having: str | None,
    order: tuple[str, ...],
    zone: str | None,
    as_of: str | None,
    limit: int,
    evidence: bool,
) -> MetricQuery:
    """The question that the arguments state; `QueryError` says which of them cannot be read."""
    cut_in = _known(zone or catalog.time_zone)
    now_on = local_day(now, cut_in)
    day = day_of(as_of, "--as-of") if as_of else now_on
    if day > now_on:
        raise QueryError("BAD_TIME", f"--as-of {day} is a day to come; it is {now_on} now")
    in_words = _one_of(words, f"last {last}" if last else None, since or until)
    bounds = TimeRange(_instant(since, cut_in, "--since"), _instant(until, cut_in, "--until"))
    return MetricQuery(
        metrics=metrics,
        as_of=day,
        by=by,
        grain=grain,
        time=parse_range(in_words, day, cut_in, catalog.calendar) if in_words else bounds,
        where=parse_filter(where) if where else None,
        filters=filters,
        having=parse_filter(having) if having else None,
        order_by=tuple(_order(text) for text in order),
        limit=limit,
        zone=zone,
        evidence=evidence,
    )


def _one_of(words: str | None, last: str | None, bound: str | None) -> str | None:
    """The range in words; `QueryError` where time is limited in two ways."""
    if sum(given is not None for given in (words, last, bound)) > 1:
        raise QueryError("BAD_RANGE", "limit time in one way: --range, or --last, or --since and --until")
    return words or last


def _known(zone: str) -> str:
    if zone not in zone_names():
        raise QueryError("UNKNOWN_ZONE", f"'{zone}' is not a time zone; use a name such as Europe/Berlin")
    return zone


def day_of(text: str, option: str) -> date:
    """The day that an option names."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise QueryError("BAD_TIME", f"{option} takes a day such as 2026-03-01, not '{text}'") from error


def _instant(text: str | None, zone: str, option: str) -> datetime | None:
    if text is None:
        return None
    if len(text) == len("2026-03-01"):
        return midnight(day_of(text, option), zone)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise QueryError("BAD_TIME", f"{option} takes 2026-03-01 or 2026-03-01T09:00:00Z, not '{text}'") from error
    if instant.tzinfo is None:
        raise QueryError("BAD_TIME", f"{option} '{text}' needs an offset, such as {text}Z or {text}+01:00")
    return instant.astimezone(UTC)


def _order(text: str) -> Order:
    name, _, direction = text.partition(":")
    if direction not in ("", "asc", "desc"):
        raise QueryError("BAD_ORDER", f"--order takes NAME, NAME:asc or NAME:desc, not '{text}'")
    return Order(name, "desc" if direction == "desc" else "asc")
