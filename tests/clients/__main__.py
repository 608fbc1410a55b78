"""Runs the clients of examples/clients against a real server with the demo's data.

    python -m tests.clients

Both must give the numbers of `clawback query --format json`, to the last digit; what is generated must be what is
committed; both are held to their strict type checkers. Where Node.js is missing its part is left out, and says so;
with CLAWBACK_REQUIRE_ALL=1 that is a failure.
"""

import filecmp
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from server.settings import Settings
from tests.clients.serving import ROOT, run_query, served, write_demo

CLIENTS = ROOT / "examples/clients"
PYTHON = CLIENTS / "python"
TYPESCRIPT = CLIENTS / "typescript"
INTERPRETER = PYTHON / ".venv/bin/python"
RANGE = "2026-03"
BY_MODEL = ("cost_per_session", "session_cost", "sessions", "roi")
BY_DAY = ("sessions", "session_cost", "cost_per_session")
HAS_DOCUMENTS = "documents" in Settings.model_fields
HAS_SUBSCRIPTIONS = "\ntype Subscription " in (CLIENTS / "schema.graphql").read_text()
OFFERED = {"documents": HAS_DOCUMENTS, "subscriptions": HAS_SUBSCRIPTIONS}
QUESTIONS = {
    "by_model": (*BY_MODEL, "--by", "model"),
    "by_day": (*BY_DAY, "--grain", "day", "--range", RANGE, "--zone", "UTC"),
}


def main() -> int:
    parts: list[tuple[str, Callable[[dict[str, str]], None]]] = [("Python", python)]
    if shutil.which("npm") and shutil.which("node"):
        parts.append(("TypeScript", typescript))
    elif os.environ.get("CLAWBACK_REQUIRE_ALL") == "1":
        click.echo("TypeScript: Node.js is missing, and CLAWBACK_REQUIRE_ALL is set")
        return 1
    else:
        click.echo("TypeScript: left out, there is no Node.js here")
    with tempfile.TemporaryDirectory() as place:
        store = write_demo(Path(place) / "demo")
        manifest = {"CLAWBACK_DOCUMENTS": str(CLIENTS / "persisted-documents.json")} if HAS_DOCUMENTS else {}
        with served(store, **manifest) as server:
            of_the_server = answers(store)
            expected = Path(place) / "expected.json"
            expected.write_text(
                json.dumps({**of_the_server, "url": f"{server.url}/graphql", "range": RANGE, **OFFERED})
            )
            for name, part in parts:
                began = time.monotonic()
                part({**os.environ, "CLAWBACK_EXPECTED": str(expected)})
                click.echo(
                    f"{name}: as generated, types hold, the numbers are the CLI's ({time.monotonic() - began:.0f} s)"
                )
        # Only now: a server that begins decides the tasks whose time is over, and a file that is read decides nothing.
        assert answers(store) == of_the_server, "the file gives other numbers than the server did"
    return 0


def answers(store: Path) -> dict[str, Any]:
    """Rows as the command line prints them, without the reasons for nulls."""
    found = {name: json.loads(run_query(store, *question))["rows"] for name, question in QUESTIONS.items()}
    return {name: [{k: v for k, v in row.items() if k != "status"} for row in rows] for name, rows in found.items()}


def python(environment: dict[str, str]) -> None:
    run("make", "--silent", f"PYTHON={sys.executable}", str((PYTHON / ".venv/.installed").relative_to(ROOT)), at=ROOT)
    check_python_is_current()
    strict = (sys.executable, "-m", "mypy", "--strict", "--python-executable", str(INTERPRETER))
    run(*strict, "clawback_client", "test_client.py", "test_server.py", at=PYTHON)
    run(str(INTERPRETER), "-W", "error", "-m", "unittest", at=PYTHON, environment=environment)


def check_python_is_current() -> None:
    """Generates once more, elsewhere."""
    with tempfile.TemporaryDirectory() as place:
        again = Path(place) / "clients"
        without = shutil.ignore_patterns("node_modules", ".venv", "clawback_client", "build", "__pycache__")
        shutil.copytree(CLIENTS, again, ignore=without)
        run(str(INTERPRETER.with_name("ariadne-codegen")), at=again / "python", quiet=True)
        old, new = PYTHON / "clawback_client", again / "python/clawback_client"
        names = {path.name for directory in (old, new) for path in directory.glob("*.py")}
        _, other, missing = filecmp.cmpfiles(old, new, sorted(names), shallow=False)
        assert not other + missing, f"{', '.join(other + missing)}: not what the schema gives; run `make clients`"


def typescript(environment: dict[str, str]) -> None:
    run("make", "--silent", str((TYPESCRIPT / "node_modules/.package-lock.json").relative_to(ROOT)), at=ROOT)
    run("npm", "run", "--silent", "generate", "--", "--check", at=TYPESCRIPT)
    run("npm", "test", "--silent", at=TYPESCRIPT, environment=environment)


def run(*command: str, at: Path, environment: dict[str, str] | None = None, quiet: bool = False) -> None:
    """Fails with what the command said where it fails."""
    click.echo(" ".join(["$", *(Path(word).name if word.startswith("/") else word for word in command)]))
    subprocess.run(command, cwd=at, check=True, env=environment, stdout=subprocess.DEVNULL if quiet else None)


if __name__ == "__main__":
    sys.exit(main())
