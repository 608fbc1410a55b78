"""SQL in every place of the schema that takes text: an error or rows, never another row, never another statement."""

from collections.abc import Iterator
from itertools import cycle, islice

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from semantic import Catalog
from store import Store
from tests.server.conftest import RECORDS, Api, Json, load_into
from tests.stores import new_store

PAYLOADS = (
    "' OR '1'='1",
    "main' --",
    "x'; DROP TABLE sessions; --",
    'main" OR 1=1 --',
    "$1 ? :since {0} %s %(a)s",
    "') UNION SELECT agent FROM sessions --",
    "\\' OR 1=1 #",
    "E'\\x27' || (SELECT path FROM duckdb_databases()) || '",
    "\x00' OR true --",
    "%_*",
    "2026-03-01'::DATE OR '1'='1",
    "read_csv('/etc/passwd')",
)
PLAIN: Json = {
    "String": "x",
    "ID": "x",
    "Int": 1,
    "Float": 0.5,
    "Boolean": True,
    "Decimal": "0.5",
    "BigInt": 1,
    "Date": "2026-03-01",
    "DateTime": "2026-03-01T00:00:00Z",
}
TEXTS = {"String", "ID", "Decimal", "Date", "DateTime", "Float", "Int", "BigInt"}
"""What is written as text in JSON, or could be."""
MOST_DEPTH = 3
WRITTEN = ("loads", "scores", "session_scores")


@pytest.fixture(scope="module")
def asked(catalog: Catalog) -> Iterator[Api]:
    with new_store() as store:
        load_into(store, RECORDS)
        yield Api(catalog, store)


def plain(kind: GraphQLInputType) -> object:
    """Some value of a type, with as little in it as it takes."""
    if isinstance(kind, GraphQLNonNull):
        return plain(kind.of_type)
    if isinstance(kind, GraphQLList):
        return [plain(kind.of_type)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return {name: plain(f.type) for name, f in kind.fields.items() if is_required_input_field(f)}
    return PLAIN[kind.name]


def with_text(kind: GraphQLInputType, depth: int = 0) -> Iterator[tuple[str, object]]:
    """Each value of a type with a mark at one place that takes text; and the path to it."""
    if isinstance(kind, GraphQLNonNull):
        yield from with_text(kind.of_type, depth)
    elif isinstance(kind, GraphQLList):
        yield from ((path, [value]) for path, value in with_text(kind.of_type, depth))
    elif isinstance(kind, GraphQLInputObjectType):
        if depth < MOST_DEPTH:
            least = plain(kind)
            assert isinstance(least, dict)
            for name, field in kind.fields.items():
                if get_named_type(field.type) is not kind:  # and, or, not
                    for path, value in with_text(field.type, depth + 1):
                        yield f".{name}{path}", {**least, name: value}
    elif not isinstance(kind, GraphQLEnumType) and kind.name in TEXTS:
        yield "", MARK


MARK = object()


def marked(value: object, text: str) -> object:
    if isinstance(value, list):
        return [marked(item, text) for item in value]
    if isinstance(value, dict):
        return {name: marked(item, text) for name, item in value.items()}
    return text if value is MARK else value


def selection(kind: GraphQLOutputType, depth: int = 0) -> str:
    """The first leaf below a type that needs no argument."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    for name, field in named.fields.items():
        if not any(is_required_argument(argument) for argument in field.args.values()):
            inside = selection(field.type, depth + 1) if depth < 4 else None
            if inside is not None:
                return f"{{ {name} {inside} }}"
    raise AssertionError(named)


def places(schema: GraphQLSchema) -> Iterator[tuple[str, str, Json]]:
    """Every place: its name, an operation that reaches it, and the variables with a mark there."""
    for root in (schema.query_type, schema.mutation_type):
        assert root is not None
        for name, field in root.fields.items():
            required = {a: plain(arg.type) for a, arg in field.args.items() if is_required_argument(arg)}
            for argument, declared in field.args.items():
                for path, value in with_text(declared.type):
                    variables = {**required, argument: value}
                    word = "query" if root is schema.query_type else "mutation"
                    yield f"{name}({argument}{path})", operation(word, name, field, variables), variables


def operation(word: str, name: str, field: GraphQLField, variables: Json) -> str:
    declared = ", ".join(f"${a}: {field.args[a].type}" for a in variables)
    given = ", ".join(f"{a}: ${a}" for a in variables)
    chosen = "{ totals { sessions requests } }" if name == "metrics" else selection(field.type)
    return f"{word}({declared}) {{ {name}({given}) {chosen} }}"


def one_of_each(found: list[tuple[str, str, Json]]) -> list[tuple[str, str, Json]]:
    """Each operator once for each argument, whichever dimension or metric it is about."""
    kinds = {(place.partition(".")[0], place.rpartition(".")[2]): found for found in found for place in found[:1]}
    return list(kinds.values())


@pytest.mark.parametrize("of_them", [pytest.param("all", marks=pytest.mark.whole), "one of each"])
def test_sql_in_every_place_that_takes_text_stays_text(asked: Api, of_them: str) -> None:
    before = contents(asked.store)
    every = list(places(asked.engine._schema))
    assert len(every) > 2_000
    found = every if of_them == "all" else one_of_each(every)
    for (place, text, variables), payload in zip(found, islice(cycle(PAYLOADS), len(found)), strict=True):
        body = asked.ask(text, {name: marked(value, payload) for name, value in variables.items()})
        codes = {error["extensions"]["code"] for error in body.get("errors", ())}
        assert not codes & {"INTERNAL", "INVALID_QUERY", "SYNTAX_ERROR", "TOO_LARGE"}, (place, payload, body)
    assert contents(asked.store) == before


@pytest.mark.parametrize("operator", ["eq", "in", "contains", "startsWith"])
def test_a_filter_with_sql_in_it_finds_nothing(asked: Api, operator: str) -> None:
    for payload in PAYLOADS:
        given = [payload] if operator == "in" else payload
        where = {"agent": {operator: given}}
        rows = asked.rows("agent sessions", "where: $where", {"where": where})
        assert rows == [], payload


def contents(store: Store) -> list[tuple[object, ...]]:
    """Every table with its number of columns and rows, besides those that a score is written to."""
    tables = store.read("SELECT table_name, column_count FROM duckdb_tables() ORDER BY 1").rows
    counted = [(*table, *store.read(f'SELECT count(*) FROM "{table[0]}"').rows[0]) for table in tables]
    return [table for table in counted if table[0] not in WRITTEN]
