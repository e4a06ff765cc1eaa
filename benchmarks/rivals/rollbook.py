"""Rollbook as it comes: `rollbook serve` on a data directory that `rollbook import` has filled."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rivals.interface import Rival, Tools
from benchmarks.serving.materials import Materials
from benchmarks.serving.processes import Command
from rollbook import __version__


def load(materials: Materials, folder: Path, tools: Tools) -> None:
    """Import the clusters."""
    command = [sys.executable, "-m", "rollbook", "import", str(materials.file), "--data", str(folder / "data")]
    subprocess.run(command, check=True, capture_output=True)


def commands(folder: Path, port: int, tools: Tools) -> Sequence[Command]:
    """The server."""
    return [Command([sys.executable, "-m", "rollbook", "serve", "--port", str(port), "--data", str(folder / "data")])]


ROLLBOOK = Rival(
    name="rollbook",
    title="Rollbook",
    missing=lambda tools: None,
    load=load,
    commands=commands,
    version=lambda tools: f"Rollbook {__version__}",
)
