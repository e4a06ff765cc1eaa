"""The wheel on every Python that can be had here: ``make wheel-check``. It fetches packages, and takes some minutes.

A wheel is built once. For each Python an environment is made anew with what the lock file names and the wheel, the
server is started from it, asked, and stopped.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.examples import cluster
from tests.serving import free_port

ROOT = Path(__file__).parents[2]
VERSIONS = ["3.11", "3.12", "3.13", "3.14"]
START_SECONDS_MAX = 60


def main() -> None:
    """Try each Python; the exit code says whether all of them served."""
    tried = 0
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, "-m", "build", "--outdir", place, str(ROOT)], check=True, stdout=sys.stderr)
        (wheel,) = Path(place).glob("*.whl")
        for version, python in pythons():
            environment = Path(place, version)
            install(python, wheel, environment)
            serve_and_ask(environment / "bin" / "rollbook", Path(place, f"data-{version}"))
            print(f"Python {version}: installed and served", file=sys.stderr)
            tried += 1
    print(f"wheels: {tried} passed, 0 failed")


def pythons() -> Iterator[tuple[str, str]]:
    """The versions that are here, with their programs: on the path, or among those of pyenv."""
    homes = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions").glob("3.*"))
    for version in VERSIONS:
        places = [str(home / "bin" / "python") for home in homes if home.name.startswith(version + ".")]
        for program in filter(None, [shutil.which(f"python{version}"), *places]):
            if subprocess.run([program, "-c", "import ensurepip, venv"], capture_output=True).returncode == 0:
                yield version, program
                break


def install(python: str, wheel: Path, environment: Path) -> None:
    """A new environment with the locked packages and the wheel."""
    subprocess.run([python, "-m", "venv", str(environment)], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "--requirement", str(ROOT / "requirements.txt")], check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)


def serve_and_ask(program: Path, data: Path) -> None:
    """Serve an empty registry, and create and read a cluster."""
    port = free_port()
    server = subprocess.Popen([program, "serve", "--port", str(port), "--data", str(data)], cwd=data.parent)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            deadline = time.monotonic() + START_SECONDS_MAX
            while server.poll() is None and time.monotonic() < deadline:
                try:
                    client.get("/readyz").raise_for_status()
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            assert client.post("/clusters", json=cluster("west")).status_code == 201
            assert client.get("/clusters/west").json()["id"] == "west"
            assert client.get("/console/").headers["content-type"].startswith("text/html")
        demo = [program, "demo", "--clusters", "20", "--seconds", "2", "--url", f"http://127.0.0.1:{port}"]
        subprocess.run(demo, check=True, stdout=subprocess.DEVNULL)
    finally:
        server.terminate()
        assert server.wait(30) == 0


if __name__ == "__main__":
    main()
