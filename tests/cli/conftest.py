"""The command ``rollbook`` as a function, in a directory and an environment of its own."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rollbook.cli import main
from tests.serving import ServerProcess


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


Rollbook = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory to work in, and no settings."""
    for name in [name for name in os.environ if name == "PORT" or name.startswith("ROLLBOOK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def rollbook(home: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Rollbook:
    """Runs one command in this process."""

    def run(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as exited:
            main(arguments)
        captured = capsysbinary.readouterr()
        assert isinstance(exited.value.code, int)
        return Ran(exited.value.code, captured.out.decode(), captured.err.decode())

    return run


@pytest.fixture
def server(home: Path) -> Iterator[ServerProcess]:
    """A server in a process of its own, on the directory ``served``."""
    with ServerProcess(home / "served") as process:
        yield process
