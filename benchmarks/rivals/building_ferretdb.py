"""FerretDB, built from the sources that ``ferretdb/go.sum`` names: for the benchmarks, and for tests of moving.

One rule: it needs nothing but Python and Go, so that it can be built before anything is installed:
``python3 -m benchmarks.rivals.building_ferretdb``.
"""

import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "1.24.2"
PACKAGE = "github.com/FerretDB/FerretDB/cmd/ferretdb"
LOCK = Path(__file__).parent / "ferretdb"
CACHE = Path(__file__).parents[1] / ".cache"


def program(cache: Path = CACHE) -> Path:
    """Where the program is, once it is built."""
    return cache / "bin" / "ferretdb"


def build(cache: Path = CACHE) -> str | None:
    """Build it where it is missing, in about a minute on two cores; why that failed, None when it did not.

    Its sources are copied first: it refuses to start without a file that names its version, which modules leave out.
    """
    if program(cache).exists():
        return None
    if not shutil.which("go"):
        return "FerretDB needs Go 1.24 or newer"
    print("building FerretDB: a minute or more", flush=True)
    sources = cache / "ferretdb"
    sources.mkdir(parents=True, exist_ok=True)
    for file in ("go.mod", "go.sum"):
        shutil.copy(LOCK / file, sources)
    vendored = sources / "vendor" / "github.com" / "FerretDB" / "FerretDB" / "build" / "version" / "version.txt"
    problem = _run(["go", "mod", "vendor"], sources)
    if problem is None:
        vendored.write_text(f"v{VERSION}\n")
        problem = _run(["go", "build", "-mod=vendor", "-o", str(program(cache)), PACKAGE], sources)
    shutil.rmtree(sources)
    return problem


def _run(command: list[str], directory: Path) -> str | None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=directory, check=False)
    return None if done.returncode == 0 else f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}"


if __name__ == "__main__":
    sys.exit(build())
