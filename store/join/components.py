"""What hangs together: nodes that share a name, and those that share one with these, have one label."""

from duckdb import DuckDBPyConnection

from store.rows import integer


def label(cursor: DuckDBPyConnection, links: str, labels: str) -> None:
    """Makes the table `labels` (node, label) from the table `links` (node, name): the least node of its component.

    A link without a name is a node alone. Labels are passed on along the links and then followed to where they point,
    so a chain of n nodes takes about log n rounds.
    """
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE {labels} AS SELECT DISTINCT node, node AS label FROM {links}")
    while True:
        cursor.execute(f"""
            CREATE OR REPLACE TEMP TABLE passed_on AS
            WITH least AS (
                SELECT name, min(label) AS label FROM {links} JOIN {labels} USING (node)
                WHERE name IS NOT NULL GROUP BY name
            ),
            reached AS (SELECT node, min(label) AS label FROM {links} JOIN least USING (name) GROUP BY node)
            SELECT own.node, coalesce(least(own.label, reached.label), own.label) AS label
            FROM {labels} AS own LEFT JOIN reached USING (node)""")
        moved = integer(
            cursor,
            f"SELECT count(*) FROM passed_on AS new JOIN {labels} AS old USING (node) WHERE new.label <> old.label",
        )
        cursor.execute(f"""
            CREATE OR REPLACE TEMP TABLE {labels} AS
            SELECT one.node, least(one.label, other.label) AS label
            FROM passed_on AS one JOIN passed_on AS other ON other.node = one.label""")
        if not moved:
            return
