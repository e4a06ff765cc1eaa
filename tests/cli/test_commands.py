"""What every command has in common."""

import subprocess
import sys

import pytest

from rollbook import __version__
from rollbook.cli import COMMANDS


def test_the_version_is_the_package_s(rollbook) -> None:
    ran = rollbook("--version")
    assert (ran.code, ran.out) == (0, f"rollbook {__version__}\n")


def test_the_module_is_the_command(home) -> None:
    done = subprocess.run([sys.executable, "-m", "rollbook", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"rollbook {__version__}\n")


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_every_command_explains_itself_in_whole_words(rollbook, name: str) -> None:
    assert rollbook(name, "--help").code == 0
    listed = next(line for line in rollbook("--help").out.splitlines() if line.strip().startswith(name))
    assert listed.endswith(".")
    assert not listed.endswith("...")


@pytest.mark.parametrize("arguments", [["nope"], ["import"], ["export", "extra"], ["serve", "--colour"]])
def test_a_command_line_that_is_wrong_ends_in_2(rollbook, arguments) -> None:
    ran = rollbook(*arguments)
    assert ran.code == 2
    assert "Usage: rollbook" in ran.err


def test_a_wrong_setting_ends_in_2_and_names_it(rollbook, monkeypatch) -> None:
    monkeypatch.setenv("ROLLBOOK_MAX_TIME_MS", "soon")
    ran = rollbook("export")
    assert ran.code == 2
    assert "ROLLBOOK_MAX_TIME_MS must be an integer" in ran.err
