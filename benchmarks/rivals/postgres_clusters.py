"""A private PostgreSQL in a folder of its own, reached by a Unix socket there, run by an unprivileged user.

Tuned for a machine that it shares with others: memory to hold everything, no just-in-time compiler, and nothing that
would work in the background while others are measured. Durable: fsync and synchronous_commit as they come.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rivals.interface import Tools
from benchmarks.serving.processes import STOP_SECONDS_MAX, Command, wait_for

SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "1GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "jit": "off",
    "random_page_cost": "1.1",
}
DEBIAN = Path("/usr/lib/postgresql")


def programs() -> Path | None:
    """The folder of PostgreSQL's server programs, of the newest version there is."""
    found = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def user() -> str | None:
    """Whom to run it as: PostgreSQL refuses root."""
    return "postgres" if os.geteuid() == 0 else None


def initialise(folder: Path, tools: Tools) -> None:
    """Make an empty one."""
    assert tools.postgresql is not None
    folder.mkdir()
    if owner := user():
        shutil.chown(folder, owner)
    arguments = ["-D", str(folder / "data"), "--auth=trust", "--username=clusters", "--encoding=UTF8", "--locale=C"]
    subprocess.run(
        [str(tools.postgresql / "initdb"), *arguments], check=True, capture_output=True, user=user(), cwd=folder
    )


def postgres(folder: Path, tools: Tools) -> Command:
    """The server. SIGINT makes it hang up on its clients and stop cleanly."""
    assert tools.postgresql is not None
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    return Command(
        [str(tools.postgresql / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *settings],
        user=user(),
        directory=folder,
        wait_until_ready=lambda: wait_for(
            lambda: _answers(folder, tools), what="PostgreSQL", seconds_max=STOP_SECONDS_MAX
        ),
    )


def address(folder: Path) -> str:
    """Where clients find it."""
    return f"postgresql://clusters@/postgres?host={folder}"


def run_sql(folder: Path, tools: Tools, statements: Sequence[str]) -> None:
    """Run statements, each by itself."""
    commands = [word for statement in statements for word in ("-c", statement)]
    subprocess.run([*_psql(folder, tools), "-v", "ON_ERROR_STOP=1", *commands], check=True, capture_output=True)


def version(tools: Tools) -> str:
    """As PostgreSQL says it."""
    assert tools.postgresql is not None
    said = subprocess.run([str(tools.postgresql / "postgres"), "--version"], capture_output=True, text=True, check=True)
    return f"PostgreSQL {said.stdout.split()[2]}"


def _answers(folder: Path, tools: Tools) -> bool:
    return subprocess.run([*_psql(folder, tools), "-c", "SELECT 1"], capture_output=True).returncode == 0


def _psql(folder: Path, tools: Tools) -> list[str]:
    assert tools.postgresql is not None
    return [str(tools.postgresql / "psql"), "-h", str(folder), "-U", "clusters", "-d", "postgres", "-qtA"]
