"""The units of systemd: what they start exists, what they set is a setting, and systemd takes them."""

import re
import subprocess
from pathlib import Path
from shutil import which

import pytest

from server.cli import COMMANDS
from server.proxy.settings import ProxySettings
from server.settings import Settings

UNITS = sorted((Path(__file__).parents[1] / "deploy/systemd").iterdir())


def test_the_units_are_there() -> None:
    assert [unit.name for unit in UNITS] == [
        "clawback-budget.service",
        "clawback-budget.timer",
        "clawback-proxy.service",
        "clawback.service",
    ]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_what_a_unit_starts_and_sets_exists(unit: Path) -> None:
    text = unit.read_text()
    assert all(command in COMMANDS for command in re.findall(r"^ExecStart=\S+/clawback (\S+)", text, re.MULTILINE))
    named = re.findall(r"CLAWBACK_([A-Z_]+)", text)
    settings = {*Settings.model_fields, *(f"proxy_{name}" for name in ProxySettings.model_fields)}
    assert [name for name in named if name.lower() not in settings] == []
    page = re.search(r"docs/[a-z-]+\.md", text)
    assert page is not None
    assert (unit.parents[2] / page[0]).is_file()


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_a_service_can_write_to_its_own_directories_alone(unit: Path) -> None:
    lines = unit.read_text().splitlines()
    hardened = {"ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "User=clawback"}
    assert hardened <= set(lines)
    assert not [line for line in lines if line.startswith("ReadWritePaths")]


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """Where there is a systemd; the program is another, because it need not be installed here."""
    if not (analyze := which("systemd-analyze")):
        return
    for unit in UNITS:
        text = re.sub(r"^ExecStart=.*", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
    command = [analyze, "verify", *(str(tmp_path / unit.name) for unit in UNITS)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
