"""The fast path and graphql-core alone answer random operations with the same bytes. The program asks 20,000."""

from semantic import Catalog
from store import Store
from tests.server.fuzz.compare import cases, paths


def test_random_operations_are_answered_with_the_same_bytes_by_both_paths(catalog: Catalog, store: Store) -> None:
    compared = paths(catalog, store)
    assert [found for case in cases(compared, 1, range(300)) if (found := compared.difference(case))] == []
