"""The `explain` field: the SQL that gave the rows, its parameters, where each metric comes from and how facts join."""

from typing import Annotated, Any

import strawberry
from strawberry import Parent

from semantic import Catalog, Statement
from semantic.dialects import Dialect, render
from semantic.explain import Explanation, FactOrigin, MetricOrigin, explain
from semantic.plan import Fact as PlannedFact
from semantic.plan import all_facts
from server.answer import Answer
from server.graphql.generated import enum_type
from server.graphql.pure import pure

DialectName = enum_type("Dialect", Dialect, "A database that can run a statement.")


@strawberry.type(description="A value that the SQL takes as $name.")
class Parameter:
    name: str
    value: str


@strawberry.type(description="A dimension, and the joins that lead to it from the fact.")
class Reached:
    dimension: str
    joins: list[str]
    why: str = strawberry.field(description="Why it is read where it is.")


@strawberry.type(description="Rows that are aggregated together, before facts are joined on the dimensions.")
class Fact:
    model: str
    source: str = strawberry.field(description="The table or view of the store.")
    measures: list[str]
    dimensions: list[Reached]
    scan: str = strawberry.field(description="How its rows are read.")
    conditions: list[str] = strawberry.field(description="Named filters and policies that narrow the rows.")


@strawberry.type(description="A column of the store.")
class Column:
    source: str
    column: str


@strawberry.type(description="Where a metric comes from: one that is asked for, or one that those rest on.")
class Lineage:
    metric: str
    definition: str = strawberry.field(description="As it stands in metrics.yaml.")
    place: str | None = strawberry.field(description="Where in the file, such as metrics.yaml:80:3.")
    inputs: list[str] = strawberry.field(description="The metrics that it is computed from.")
    reads: list[Column] = strawberry.field(description="The columns that it rests on, also through its inputs.")
    steps: list[str] = strawberry.field(description="What is done with the rows, in this order.")


@pure
def _in_words_of(
    root: Parent[Any], dialect: Annotated[Any, strawberry.argument(graphql_type=DialectName)] = DialectName.DUCKDB
) -> str | None:
    return render(root.statement, Dialect(dialect.value))


@strawberry.type(description="How the answer came about.")
class Explain:
    sql: str = strawberry.field(description="The statement that ran, for DuckDB, with $parameters.")
    parameters: list[Parameter]
    zone: str = strawberry.field(description="The time zone in which days are cut.")
    facts: list[Fact]
    lineage: list[Lineage] = strawberry.field(description="Each metric after those that it rests on.")
    statement: strawberry.Private[Statement]
    sql_with_values: str | None = strawberry.field(
        resolver=_in_words_of,
        description="The statement with its values, to run by hand; null where the database cannot say it.",
    )


def explained(catalog: Catalog, answer: Answer) -> Explain:
    plan, statement = answer.plan, answer.statement
    explanation = explain(catalog, plan)
    planned = all_facts(plan.facts, plan.eaches)
    return Explain(
        sql=statement.sql,
        statement=statement,
        parameters=[Parameter(name=name, value=str(value)) for name, value in statement.params.items()],
        zone=explanation.zone,
        facts=[_fact(fact, origin) for fact, origin in zip(planned, explanation.facts, strict=True)],
        lineage=[_lineage(origin) for origin in _once(explanation)],
    )


def _once(explanation: Explanation) -> tuple[MetricOrigin, ...]:
    """A metric may be in a question and in one inside it."""
    return tuple({origin.name: origin for origin in explanation.metrics}.values())


def _fact(fact: PlannedFact, origin: FactOrigin) -> Fact:
    why = dict(origin.ways)
    return Fact(
        model=origin.model,
        source=origin.source,
        measures=list(origin.metrics),
        dimensions=[
            Reached(dimension=name, joins=[join.role for join in reached.path], why=why[name])
            for name, reached in fact.reached.items()
        ],
        scan=origin.scan,
        conditions=list(origin.conditions),
    )


def _lineage(origin: MetricOrigin) -> Lineage:
    return Lineage(
        metric=origin.name,
        definition=origin.definition,
        place=str(origin.mark) if origin.mark else None,
        inputs=list(origin.inputs),
        reads=[Column(source=read.source, column=read.column) for read in origin.reads],
        steps=list(origin.steps),
    )
