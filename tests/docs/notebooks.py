"""Notebooks, run from their first cell to their last one in a kernel of their own.

Run as a program it writes the outputs into the notebooks again: ``python -m tests.docs.notebooks``.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from tests.docs.pages import ROOT
from tests.serving import ServerProcess

NOTEBOOKS = sorted((ROOT / "docs" / "examples").glob("*.ipynb"))
CELL_SECONDS_MAX = 60


def executed(path: Path, home: Path) -> Any:
    """The notebook with the outputs of a run against a server that has the fleet of the examples."""
    notebook = nbformat.read(path, as_version=4)
    with ServerProcess(home / "data") as server:
        command = [sys.executable, "-m", "rollbook", "import", "--url", server.url, ROOT / "docs/examples/fleet.ndjson"]
        subprocess.run(command, check=True, capture_output=True)
        former = os.environ.get("ROLLBOOK_URL")
        os.environ["ROLLBOOK_URL"] = server.url
        try:
            NotebookClient(notebook, timeout=CELL_SECONDS_MAX, kernel_name="python3", record_timing=False).execute()
        finally:
            os.environ.pop("ROLLBOOK_URL")
            if former is not None:
                os.environ["ROLLBOOK_URL"] = former
    return notebook


def texts_of(notebook: Any) -> list[str]:
    """What each cell shows, as plain text."""
    return [
        output["data"]["text/plain"] if "data" in output else output.get("text", "")
        for cell in notebook.cells
        for output in cell.get("outputs", ())
    ]


if __name__ == "__main__":
    for each in NOTEBOOKS:
        with tempfile.TemporaryDirectory() as directory:
            nbformat.write(executed(each, Path(directory)), each)
