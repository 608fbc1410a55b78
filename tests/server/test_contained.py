"""As in a container with a read-only root: the server writes to its data directory alone, and needs no other."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.server.processes import forking, until, write_balances

NAMESPACE = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--mount", "--map-root-user")
SHUT_IN = """
mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,bind,ro / || exit 99
shift
exec "$@"
"""


def shut_in(directory: Path) -> tuple[str, ...]:
    return (*NAMESPACE, "sh", "-c", SHUT_IN, "sh", str(directory))


def can_be_shut_in(directory: Path) -> bool:
    try:
        tried = subprocess.run([*shut_in(directory), "true"], capture_output=True, timeout=60)
    except FileNotFoundError:
        return False
    return tried.returncode == 0


def test_a_server_whose_root_is_read_only_loads_answers_and_stops(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    if not can_be_shut_in(data):
        assert not os.environ.get("CLAWBACK_REQUIRE_ALL"), "no mount namespace can be made here"
        pytest.skip("no mount namespace can be made here")
    refused = subprocess.run([*shut_in(data), "touch", str(tmp_path / "outside")], capture_output=True, timeout=60)
    assert b"Read-only file system" in refused.stderr
    path = write_balances(tmp_path, 100)
    with forking(shut_in(data)) as servers, servers.serving(data) as server:
        number = server.ask("/loads", {"kind": "cash", "location": str(path)})[1]["number"]
        until(lambda: server.ask(f"/loads/{number}")[1]["state"] == "stored", "the load is stored")
        assert server.ask("/health/ready")[0] == 200
        assert server.ask("/graphql", {"query": "{ catalog { metrics { name } } }"})[1].get("errors") is None
        server.signal(signal.SIGTERM)
        assert server.await_end() == 0
    assert server.balances() == 100
    assert {entry.name for entry in tmp_path.iterdir()} == {"data", "cash.csv"}
