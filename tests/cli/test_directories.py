"""``rollbook check`` says whether a data directory is sound, and changes nothing."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Rollbook
from tests.examples import cluster
from tests.serving import ServerProcess


@pytest.fixture
def kept(rollbook: Rollbook, home: Path) -> Path:
    """A data directory with 100 clusters."""
    (home / "fleet.ndjson").write_text("".join(json.dumps(cluster(f"c{number:03}")) + "\n" for number in range(100)))
    assert rollbook("import", "--data", "kept", "fleet.ndjson").code == 0
    return home / "kept"


def test_a_sound_directory_is_sound(rollbook: Rollbook, kept: Path) -> None:
    ran = rollbook("check", "--data", "kept")
    assert (ran.code, ran.err) == (0, "kept is sound\n")


def test_a_damaged_file_is_told(rollbook: Rollbook, kept: Path) -> None:
    largest = max(kept.iterdir(), key=lambda path: path.stat().st_size)
    body = bytearray(largest.read_bytes())
    body[8192:16384] = b"x" * 8192
    largest.write_bytes(body)
    ran = rollbook("check", "--data", "kept")
    assert ran.code == 1
    assert "kept" in ran.err


@pytest.mark.parametrize("directory", ["nowhere", "empty"])
def test_a_directory_without_a_registry_is_not_sound_and_stays_as_it_is(rollbook, home: Path, directory: str) -> None:
    (home / "empty").mkdir()
    ran = rollbook("check", "--data", directory)
    assert (ran.code, ran.err) == (1, f"{directory}: there is no registry in it\n")
    assert [path.name for path in home.iterdir()] == ["empty"]
    assert not list((home / "empty").iterdir())


@pytest.mark.parametrize("command", ["check", "export"])
def test_a_directory_of_something_else_stays_as_it_is(rollbook: Rollbook, home: Path, command: str) -> None:
    (home / "photographs").mkdir()
    (home / "photographs" / "1.jpeg").write_bytes(b"")

    ran = rollbook(command, "--data", "photographs")

    assert ran.code != 0
    assert "there is no registry in" in ran.err
    assert [path.name for path in (home / "photographs").iterdir()] == ["1.jpeg"]


def test_a_directory_in_use_can_not_be_checked(rollbook: Rollbook, server: ServerProcess) -> None:
    ran = rollbook("check", "--data", "served")
    assert ran.code == 5
    assert "[data-directory-locked]" in ran.err
