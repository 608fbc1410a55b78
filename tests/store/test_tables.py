"""The schema in the migrations and the classes of the records say the same."""

from dataclasses import fields

import pytest

from store import Request, Store
from store.tables import TABLES, Table, sql_type


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_has_the_columns_that_are_written_to_it(store: Store, table: Table) -> None:
    assert store.columns(table.name).keys() - {"load_id", "first_load_id"} == set(table.columns)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_field_of_a_record_is_a_column(table: Table) -> None:
    names = {field.name for field in fields(table.record)}
    if "request" in names:
        names = names - {"request"} | {field.name for field in fields(Request)}
    assert names <= set(table.columns)


def test_a_record_inside_a_record_is_staged_as_a_struct() -> None:
    assert sql_type(TABLES[0].record).startswith("STRUCT(request STRUCT(request_key VARCHAR, source VARCHAR")


def test_no_table_has_an_index(store: Store) -> None:
    assert store.read("SELECT table_name, index_name FROM duckdb_indexes()").rows == []


def test_every_row_names_the_load_that_changed_it_last(store: Store) -> None:
    assert all("load_id" in store.columns(table.name) for table in TABLES)
