"""Each form of SQL that the compiler writes, alone, over tables with what engines disagree about.

A form is in sqlglot's own dialect, which reads it into the nodes that the compiler builds. Its rows are ordered.
"""

from pathlib import Path
from typing import cast

import sqlglot
from sqlglot import exp

_FOLDER = Path(__file__).parent
TABLES = (_FOLDER / "tables.sql").read_text()
"""For DuckDB."""


def _read(section: str) -> tuple[str, exp.Expression]:
    name, _, sql = section.strip().partition("\n")
    return name.removeprefix("-- "), cast(exp.Expression, sqlglot.parse_one(sql))


FORMS = dict(_read(section) for section in (_FOLDER / "forms.sql").read_text().split(";\n") if section.strip())
