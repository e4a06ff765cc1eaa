"""Express 4 with the clusters in an array: what the original does, less its database. See express/server.js.

Two contestants: one whose filters are compiled by hand, and one that leaves them to sift, as mongoose does for arrays
in memory. They differ in nothing but queries.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.rivals.interface import Rival, Tools
from benchmarks.serving.materials import Materials
from benchmarks.serving.processes import Command

FOLDER = Path(__file__).with_name("express")
HEAP_MB = 12_288


def missing(tools: Tools) -> str | None:
    """Node.js, or the packages."""
    if not shutil.which("node"):
        return "Node.js (Debian: nodejs and npm)"
    return None if (tools.cache / "express" / "node_modules" / "express").is_dir() else "the npm package express"


def load(materials: Materials, folder: Path, tools: Tools) -> None:
    """Leave the file where the server reads it when it starts."""
    shutil.copy(materials.file, folder / "clusters.ndjson")


def commands(folder: Path, port: int, tools: Tools, *library: str) -> Sequence[Command]:
    """The server; its memory is large enough to hold a million clusters."""
    node = ["node", f"--max-old-space-size={HEAP_MB}", str(tools.cache / "express" / "server.js")]
    return [Command([*node, str(port), str(folder / "clusters.ndjson"), *library], {"NODE_ENV": "production"})]


def version(tools: Tools) -> str:
    """Of Express, and of Node.js."""
    package = json.loads((tools.cache / "express" / "node_modules" / "express" / "package.json").read_text())
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"Express {package['version']} on Node.js {node.removeprefix('v')}"


EXPRESS = Rival(
    name="express",
    title="Express 4, an array in memory (not durable)",
    missing=missing,
    load=load,
    commands=commands,
    version=version,
    is_durable=False,
)

EXPRESS_WITH_SIFT = replace(
    EXPRESS,
    name="express-sift",
    title="Express 4, filters by sift",
    commands=lambda folder, port, tools: commands(folder, port, tools, "sift"),
    workloads=frozenset({"selective", "example", "element"}),
)
