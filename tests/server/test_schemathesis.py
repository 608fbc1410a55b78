"""Operations drawn from the schema: none is an internal error, and a fault that is planted is found."""

import pytest

from semantic import Catalog
from server.app import create_app
from server.settings import Settings
from store import Store
from tests.server.conftest import NOW, RECORDS, load_into
from tests.server.schemathesis_run import draw
from tests.serving import running
from tests.stores import new_store

pytestmark = pytest.mark.whole


def test_no_operation_that_is_drawn_is_an_internal_error(catalog: Catalog, store: Store) -> None:
    with running(create_app(store, catalog, Settings(), lambda: NOW)) as address:
        drawn = draw(address, cases=40, seed=6)
    assert drawn.fault is None
    assert drawn.cases >= 40
    assert drawn.codes["OK"] > 0


def test_a_column_that_has_gone_is_found(catalog: Catalog, caplog: pytest.LogCaptureFixture) -> None:
    with new_store() as store:
        load_into(store, RECORDS)
        store._connection.execute("ALTER TABLE session_facts DROP COLUMN session_id")
        with running(create_app(store, catalog, Settings(), lambda: NOW)) as address:
            drawn = draw(address, cases=100, seed=6, shrinks=False)
    assert drawn.fault is not None
    assert "INTERNAL" in drawn.fault
