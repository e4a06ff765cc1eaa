"""Rollbook as it comes: `rollbook serve` on a data directory that `rollbook import` has filled."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rivals.interface import Rival, Tools
from benchmarks.serving.materials import Materials
from benchmarks.serving.processes import Command
from rollbook import __version__


def build_of(python: str, *, name: str, title: str, version: str) -> Rival:
    """The Rollbook that an interpreter has installed."""

    def load(materials: Materials, folder: Path, tools: Tools) -> None:
        """Import the clusters."""
        command = [python, "-m", "rollbook", "import", str(materials.file), "--data", str(folder / "data")]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)

    def commands(folder: Path, port: int, tools: Tools) -> Sequence[Command]:
        """The server."""
        serve = [python, "-m", "rollbook", "serve", "--port", str(port), "--data", str(folder / "data")]
        return [Command(serve, directory=folder)]

    return Rival(name, title, lambda tools: None, load, commands, lambda tools: version)


ROLLBOOK = build_of(sys.executable, name="rollbook", title="Rollbook", version=f"Rollbook {__version__}")
