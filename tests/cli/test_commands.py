"""What every command has in common."""

import subprocess
import sys

import pytest

from rollbook import __version__
from rollbook.cli.commands import COMMANDS, Row, loaded


def test_the_version_is_the_package_s(rollbook) -> None:
    ran = rollbook("--version")
    assert (ran.code, ran.out) == (0, f"rollbook {__version__}\n")


def test_the_module_is_the_command(home) -> None:
    done = subprocess.run([sys.executable, "-m", "rollbook", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"rollbook {__version__}\n")


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_every_command_explains_itself_in_whole_words(rollbook, row: Row) -> None:
    assert row.summary in rollbook(row.name, "--help").out
    listed = next(line for line in rollbook("--help").out.splitlines() if line.strip().startswith(row.name))
    assert listed.endswith(row.summary)
    assert row.summary.endswith(".")
    assert not row.summary.endswith("...")
    help = loaded(row).help.strip()
    assert help.startswith(row.summary), "the table says what the command says"


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_every_verb_of_a_noun_can_be_called_by_the_name_in_its_help(rollbook, row: Row) -> None:
    for name in getattr(loaded(row), "commands", {}):
        assert f"Usage: rollbook {row.name} {name} " in rollbook(row.name, name, "--help").out


SLOW = {"apsw", "httpx", "httpx2", "numpy", "pyroaring", "rich.progress", "starlette", "uvloop"}
"""What takes long to import, and serves commands that run."""


def test_help_imports_neither_the_server_nor_the_client(home) -> None:
    program = (
        "import sys, rollbook.cli\ntry: rollbook.cli.main(['--help'])\nfinally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, "serve" in done.stdout) == (0, True)
    imported = set(done.stderr.split())
    assert not imported & SLOW
    ours = {name for name in imported if name.startswith("rollbook.") and not name.startswith("rollbook.cli")}
    assert ours <= {"rollbook.errors"}


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
