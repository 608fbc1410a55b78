"""The arguments in which `query` and `sql` ask: metrics, cuts, time, filter. Text in, MetricQuery out."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import click

from semantic import (
    Catalog,
    Grain,
    MetricQuery,
    Order,
    QueryError,
    TimeRange,
    local_day,
    midnight,
    parse_filter,
    zone_names,
)

Command = Callable[..., None]


def question_options(command: Command) -> Command:
    """Adds the arguments of a question to a command."""
    for option in reversed(
        [
            click.argument("metrics", nargs=-1, required=True, metavar="METRIC..."),
            click.option("--by", multiple=True, metavar="DIM", help="Cut by a dimension; may be given again."),
            click.option("--grain", type=click.Choice([g.value for g in Grain]), help="One row for each period."),
            click.option("--since", metavar="TIME", help="From this day or instant on, such as 2026-03-01."),
            click.option("--until", metavar="TIME", help="Up to and without this day or instant."),
            click.option(
                "--where", metavar="EXPR", help="A filter, such as \"agent = 'main' and trigger in ('cron')\"."
            ),
            click.option("--order", metavar="NAME[:desc]", multiple=True, help="Order by something that is asked for."),
            click.option("--zone", metavar="Z", help="The time zone that days are cut in; default: the file's."),
            click.option("--as-of", metavar="DAY", help="The day on which it is asked; default: today."),
            click.option("--limit", type=int, default=1000, show_default=True, help="At most so many rows."),
        ]
    ):
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
    where: str | None,
    order: tuple[str, ...],
    zone: str | None,
    as_of: str | None,
    limit: int,
    evidence: bool,
) -> MetricQuery:
    """The question that the arguments state; `QueryError` says which of them cannot be read."""
    cut_in = zone or catalog.time_zone
    return MetricQuery(
        metrics=metrics,
        as_of=_day(as_of, "--as-of") if as_of else local_day(now, _known(cut_in)),
        by=by,
        grain=Grain(grain) if grain else None,
        time=TimeRange(_instant(since, cut_in, "--since"), _instant(until, cut_in, "--until")),
        where=parse_filter(where) if where else None,
        order_by=tuple(_order(text) for text in order),
        limit=limit,
        zone=zone,
        evidence=evidence,
    )


def _known(zone: str) -> str:
    if zone not in zone_names():
        raise QueryError("UNKNOWN_ZONE", f"'{zone}' is not a time zone; use a name such as Europe/Berlin")
    return zone


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise QueryError("BAD_TIME", f"{option} takes a day such as 2026-03-01, not '{text}'") from error


def _instant(text: str | None, zone: str, option: str) -> datetime | None:
    if text is None:
        return None
    if len(text) == len("2026-03-01"):
        return midnight(_day(text, option), _known(zone))
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
