"""`clawback explain`: where the numbers of a question come from, without asking for them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from semantic import Catalog, Plan
from semantic.explain import FactOrigin, MetricOrigin, explain
from semantic.planner import Planner
from server.answer import compiled
from server.cli.asker import asker_of, asker_options
from server.cli.opening import open_catalog
from server.cli.question import question_options, read_question
from server.settings import Settings
from server.withheld import check_may_be_told


@click.command("explain")
@question_options
@asker_options
def command(roles: tuple[str, ...], claims: tuple[str, ...], **arguments: object) -> None:
    """Say where numbers come from: definitions, columns, and the joins that lead to each dimension.

    \b
    clawback explain cost_per_session --by agent
    """
    settings = Settings()
    catalog = open_catalog(settings)
    question = read_question(catalog, datetime.now(UTC), evidence=False, **arguments)  # type: ignore[arg-type]
    asker = asker_of(settings, roles, claims)
    plan, statement = compiled(Planner(catalog), question, asker)
    text = "\n".join(_lines(catalog, plan))
    check_may_be_told(f"{statement.sql}\n{text}", catalog, asker)
    click.echo(text)


def _lines(catalog: Catalog, plan: Plan) -> Iterator[str]:
    explanation = explain(catalog, plan)
    for metric in {m.name: m for m in reversed(explanation.metrics)}.values():
        yield from _of_metric(metric)
    for fact in explanation.facts:
        yield from _of_fact(fact)
    yield f"days are cut in {explanation.zone}"


def _of_metric(metric: MetricOrigin) -> Iterator[str]:
    yield f"{metric.name} = {metric.definition}" + (f"  ({metric.mark})" if metric.mark else "")
    yield from (f"  {step}" for step in metric.steps)
    if metric.inputs:
        yield f"  rests on {', '.join(metric.inputs)}"
    yield f"  reads {', '.join(f'{read.source}.{read.column}' for read in metric.reads) or 'no column'}"


def _of_fact(fact: FactOrigin) -> Iterator[str]:
    yield f"{fact.source}, for {', '.join(fact.metrics)}: {fact.scan}"
    yield from (f"  {dimension}: {why}" for dimension, why in fact.ways)
    yield from (f"  {condition}" for condition in fact.conditions)
