"""The command ``rollbook`` as a function, in a directory and an environment of its own."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from rollbook.cli import main
from tests.examples import cluster, node
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


@pytest.fixture(scope="module")
def fleet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for a module."""
    with ServerProcess(tmp_path_factory.mktemp("fleet") / "data") as started:
        yield started


@pytest.fixture
def fleet(fleet_server: ServerProcess, monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[httpx.Client]:
    """The server with two clusters, ``west-1`` and ``west-2``, and found by the environment."""
    monkeypatch.setenv("ROLLBOOK_URL", fleet_server.url)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    with httpx.Client(base_url=fleet_server.url) as client:
        for found in client.post("/clusters/query", json={}).json():
            client.delete(f"/clusters/{found['id']}/protection")
            client.delete(f"/clusters/{found['id']}")
        client.post("/clusters", json=cluster("west-1", node("n-1", gpus=4))).raise_for_status()
        client.post("/clusters", json=cluster("west-2", status="draining")).raise_for_status()
        yield client
