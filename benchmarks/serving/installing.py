"""What the rivals are made of: installed where this can be done, else named.

Debian's packages as root, npm's by the lock file of ``rivals/express``, FerretDB by ``rivals/ferretdb/go.sum``. One
rule: nothing that is missing stops the benchmark but the load generator; the contestant is absent, and the results say
so.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.rivals import building_ferretdb, postgres_clusters
from benchmarks.rivals.interface import Tools

RIVALS = Path(__file__).parents[1] / "rivals"
DEBIAN_PACKAGES: Mapping[str, str] = {"wrk": "wrk", "nginx": "nginx-light", "node": "nodejs", "npm": "npm"}


def installed(cache: Path) -> Tools:
    """Everything that can be had. Raises RuntimeError without the load generator."""
    packages = [package for program, package in DEBIAN_PACKAGES.items() if not shutil.which(program)]
    if postgres_clusters.programs() is None:
        packages.append("postgresql")
    _install_from_debian(packages)
    if not shutil.which("wrk"):
        raise RuntimeError("the load generator is missing: install wrk (Debian: apt-get install wrk)")
    cache.mkdir(parents=True, exist_ok=True)
    _install_express(cache / "express")
    if problem := building_ferretdb.build(cache):
        print(problem, flush=True)
    return Tools(cache, postgres_clusters.programs())


def _install_from_debian(packages: Sequence[str]) -> None:
    if packages and shutil.which("apt-get") and os.geteuid() == 0:
        print(f"installing from Debian: {' '.join(packages)}", flush=True)
        _try(["apt-get", "update", "-qq"])
        arguments = ["install", "-qq", "--yes", "--no-install-recommends", *packages]
        _try(["apt-get", *arguments], DEBIAN_FRONTEND="noninteractive")


def _install_express(folder: Path) -> None:
    """A copy of the rival beside its packages, for the sources stay clean."""
    folder.mkdir(exist_ok=True)
    lock = folder / "package-lock.json"
    is_current = lock.exists() and lock.read_bytes() == (RIVALS / "express" / "package-lock.json").read_bytes()
    for file in ("package.json", "package-lock.json", "server.js"):
        shutil.copy(RIVALS / "express" / file, folder)
    if shutil.which("npm") and not (is_current and (folder / "node_modules").is_dir()):
        print("installing Express", flush=True)
        _try(["npm", "ci", "--silent", "--prefix", str(folder)])


def _try(command: Sequence[str], *, directory: Path | None = None, **environment: str) -> bool:
    """Run a command; when it fails, its last words are told, and what it would have brought stays missing."""
    result = subprocess.run(command, capture_output=True, text=True, cwd=directory, env={**os.environ, **environment})
    if result.returncode:
        print(f"{' '.join(command)} failed: {result.stderr.strip()[-500:]}", flush=True)
    return result.returncode == 0
