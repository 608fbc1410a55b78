"""The documents of all clients fit the schema, and the manifest names each by its own bytes."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from graphql import DocumentNode, FieldNode, GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate
from graphql.language import Visitor, visit

from examples.clients.router import documents_of, evidence, purse, telling

CLIENTS = Path(__file__).parents[2] / "examples/clients"
MANIFEST: dict[str, str] = json.loads((CLIENTS / "persisted-documents.json").read_text())
DOCUMENTS = {
    **{path.name: path.read_text() for path in sorted((CLIENTS / "queries").glob("*.graphql"))},
    **{f"router: {name}": text for name, text in [("Route", evidence.QUERY), ("Reserve", purse.RESERVE)]},
    **{f"router: {name}": text for name, text in [("May", purse.MAY), ("Settle", telling.SETTLE)]},
    "router: Release": telling.RELEASE,
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((CLIENTS / "schema.graphql").read_text())


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_a_document_fits_the_schema(schema: GraphQLSchema, name: str) -> None:
    assert [error.message for error in validate(schema, parse(DOCUMENTS[name]))] == []


@pytest.mark.parametrize("key", list(MANIFEST), ids=lambda key: MANIFEST[key].split("(")[0].split(" {")[0])
def test_a_persisted_document_is_named_by_its_bytes_and_fits_the_schema(schema: GraphQLSchema, key: str) -> None:
    assert key == f"sha256:{hashlib.sha256(MANIFEST[key].encode()).hexdigest()}"
    assert validate(schema, parse(MANIFEST[key])) == []


ROUTERS = [text for name, text in DOCUMENTS.items() if name.startswith("router")]


@pytest.mark.parametrize("text", ROUTERS, ids=lambda text: text.split("(")[0].strip())
def test_the_router_gets_by_id_all_that_its_own_text_asks_for(text: str) -> None:
    own = parse(text)
    (operation,) = (d for d in own.definitions if isinstance(d, OperationDefinitionNode) and d.name)
    assert operation.name is not None
    by_id = MANIFEST[documents_of(CLIENTS / "persisted-documents.json")[operation.name.value]]
    assert fields(own) <= fields(parse(by_id))


def fields(document: DocumentNode) -> set[str]:
    """Every field with its path."""
    found: set[str] = set()
    path: list[str] = []

    class Fields(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            path.append(node.name.value)
            found.add(".".join(path))

        def leave_field(self, node: FieldNode, *_: object) -> None:
            path.pop()

    visit(document, Fields())
    return found


def test_the_guide_s_own_requests_fit_the_schema(schema: GraphQLSchema) -> None:
    guide = (CLIENTS.parents[1] / "docs/clients.md").read_text()
    (body,) = re.findall(r"-d '(.*)'\n", guide)
    asked = json.loads(body)
    assert validate(schema, parse(asked["query"])) == []
    assert asked["variables"] == {"range": "last 30 days"}
    for code in re.findall(r"```python\n(.*?)```", guide, re.DOTALL):
        compile(code, "docs/clients.md", "exec")
