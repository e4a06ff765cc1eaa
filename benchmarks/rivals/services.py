"""What the rivals that are FastAPI services have in common: how they are run, and the shape of their requests."""

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from benchmarks.serving.processes import Command


def service(module: str, port: int, environment: Mapping[str, str]) -> Command:
    """One uvicorn worker with uvloop and httptools, without a log of requests."""
    arguments = [sys.executable, "-m", "uvicorn", f"benchmarks.rivals.{module}:app", "--port", str(port)]
    options = ["--loop", "uvloop", "--http", "httptools", "--log-level", "warning", "--no-access-log"]
    return Command([*arguments, *options], environment)


def versions(*packages: str) -> str:
    """The versions of Python packages."""
    return ", ".join(f"{package} {version(package)}" for package in ("FastAPI", *packages))


def grouped_path(stages: Sequence[Mapping[str, Mapping[str, str]]]) -> list[str]:
    """The path whose values a pipeline of one ``$group`` counts."""
    return stages[0]["$group"]["_id"].removeprefix("$").split(".")
