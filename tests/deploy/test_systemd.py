"""The unit of systemd: valid, hardened, and with the exit codes that the command line has."""

import shutil
import subprocess
from pathlib import Path

import pytest

from rollbook.cli.exits import FAILED, MISUSED

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "rollbook.service"
EXPOSURE_MAX = 2.0

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that is there."""
    program = tmp_path / "rollbook"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    placed = tmp_path / "rollbook.service"
    placed.write_text(UNIT.read_text().replace("/opt/rollbook/bin/rollbook", str(program)))
    return placed


def test_systemd_finds_nothing_wrong(unit: Path) -> None:
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_the_service_is_hardly_exposed(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)]
    rated = subprocess.run(command, capture_output=True, text=True)
    assert rated.returncode == 0, rated.stdout
    assert float(rated.stdout.partition("exposure level for rollbook.service: ")[2].split()[0]) <= EXPOSURE_MAX


def test_what_no_second_try_mends_is_not_tried_again() -> None:
    (line,) = [each for each in UNIT.read_text().splitlines() if each.startswith("RestartPreventExitStatus=")]
    assert line.partition("=")[2].split() == [str(FAILED), str(MISUSED)]
