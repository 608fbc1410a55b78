"""Every code that a client can meet has its place in the page about limits."""

import re
from pathlib import Path

from server.graphql import limits, value_limits
from server.settings import Settings
from tests.server.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs/limits.md").read_text()
RAISED = re.compile(r'(?:QueryError|HoldError|request_errors|_refuse)\(\s*(?:\d+,[^"]*"[^"]*",\s*)?"([A-Z_]{4,})"')
TOLD = re.compile(r'(?:told|_located|RefusalError|field_errors)\((?:[^()]|\([^()]*\))*?"([A-Z_]{4,})"')


def codes() -> set[str]:
    found = set()
    for package in ("semantic", "server", "store"):
        for path in Path(REPOSITORY, package).rglob("*.py"):
            text = path.read_text()
            found |= {*RAISED.findall(text), *TOLD.findall(text)}
    return found


def test_every_code_is_explained() -> None:
    found = codes()
    assert {"BAD_LIMIT", "UNKNOWN_HOLD", "TOO_EXPENSIVE", "TIMEOUT", "RATE_LIMITED", "DOCUMENT_NOT_FOUND"} <= found
    assert sorted(code for code in found if f"`{code}`" not in PAGE) == []


def test_every_setting_of_a_limit_is_in_the_page_with_its_default() -> None:
    for name in ("max_header_bytes", "max_cost", "max_waiting", "max_connections"):
        assert f"`CLAWBACK_{name.upper()}`" in PAGE
        assert f"{Settings.model_fields[name].default:,}" in PAGE


def test_every_limit_is_in_the_page_as_it_is() -> None:
    bounds = {**vars(limits), **vars(value_limits)}
    for name in bounds:
        if name.startswith("MAX_") and name != "MAX_NESTING":
            assert f"{bounds[name]:,}" in PAGE, name
