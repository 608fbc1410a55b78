"""The `explain` field: the SQL that gave the rows, its parameters, and how each fact got to the dimensions."""

import strawberry

from server.answer import Answer


@strawberry.type(description="A value that the SQL takes as $name.")
class Parameter:
    name: str
    value: str


@strawberry.type(description="A dimension, and the joins that lead to it from the fact.")
class Reached:
    dimension: str
    joins: list[str]


@strawberry.type(description="Rows that are aggregated together, before facts are joined on the dimensions.")
class Fact:
    model: str
    measures: list[str]
    dimensions: list[Reached]


@strawberry.type(description="How the answer came about.")
class Explain:
    sql: str = strawberry.field(description="The statement that ran, for DuckDB, with $parameters.")
    sql_with_values: str = strawberry.field(description="The same statement with its values, to run by hand.")
    parameters: list[Parameter]
    zone: str = strawberry.field(description="The time zone in which days are cut.")
    facts: list[Fact]


def explained(answer: Answer) -> Explain:
    plan, statement = answer.plan, answer.statement
    return Explain(
        sql=statement.sql,
        sql_with_values=statement.with_values(),
        parameters=[Parameter(name=name, value=str(value)) for name, value in statement.params.items()],
        zone=plan.period.zone,
        facts=[
            Fact(
                model=fact.model.name,
                measures=list(fact.measures),
                dimensions=[
                    Reached(dimension=name, joins=[join.role for join in reached.path])
                    for name, reached in fact.reached.items()
                ],
            )
            for fact in plan.facts
        ],
    )
