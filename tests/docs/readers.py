"""Somebody who follows a page word by word: a directory, a shell, and a registry of their own.

One rule: a page that starts no server (``make run``) finds one running. The reader's server listens on a free port and
so does not disturb, or need, port 3000; what the page says about 3000 is read as that port.
"""

import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT, Command, Session, shows
from tests.serving import ServerProcess

STARTS_A_SERVER = re.compile(r"((?:[A-Z_]+=\S+ )*)(?:make run|rollbook serve)")
"""Commands of a page that go on until they are stopped: the server that serves ``./data``, with settings before it."""

SECONDS_MAX = 30

ONE_SHELL = "set -a; [ ! -e .variables ] || . ./.variables; trap 'export -p > .variables' EXIT\n"
"""What lets the commands of a reader share the variables that they set, as in one shell."""


@dataclass
class Reader:
    """Follows one page in the directory ``home``."""

    home: Path
    server: ServerProcess
    names: dict[str, Any] = field(default_factory=dict)

    def follow(self, example: Command | Session) -> None:
        """Do what the example says; fails where it does not give what the page shows."""
        if isinstance(example, Session):
            self._converse(example)
        elif start := STARTS_A_SERVER.fullmatch(example.text):
            if self.server.process is not None:  # the page says that it is to be stopped
                self.server.stop()
            self.server.environment.update(setting.split("=", 1) for setting in start[1].split())
            self.server.start()
        else:
            self._run(example)

    def _run(self, command: Command) -> None:
        done = subprocess.run(
            ["bash", "-c", ONE_SHELL + self._here(command.text)],
            cwd=self.home,
            env=environment(self.home),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_MAX,
        )
        printed = done.stdout.replace(f"localhost:{self.server.port}", "localhost:3000")
        assert shows(command.expected, printed), (
            f"line {command.line}: $ {command.text}\nthe page shows:\n{command.expected}\nit prints:\n{printed}"
        )

    def _converse(self, session: Session) -> None:
        test = doctest.DocTestParser().get_doctest(self._here(session.text), self.names, "page", None, session.line - 1)
        printed: list[str] = []
        doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(
            test, out=printed.append, clear_globs=False
        )
        self.names.update(test.globs)
        assert not printed, "".join(printed)

    def _here(self, text: str) -> str:
        return text.replace("localhost:3000", f"localhost:{self.server.port}")


@contextmanager
def reader_in(home: Path) -> Iterator[Reader]:
    """A reader with the checkout's examples at hand and the command ``rollbook`` installed."""
    if shutil.which("curl") is None:
        pytest.skip("the examples need curl")
    shutil.copytree(ROOT / "docs" / "examples", home / "docs" / "examples")
    shutil.copytree(ROOT / "examples", home / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    for name, arguments in (("rollbook", " -m rollbook"), ("python", "")):
        command = home / ".commands" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n')
        command.chmod(0o755)
    reader = Reader(home, ServerProcess(home / "data", environment=environment(home)))
    try:
        yield reader
    finally:
        if reader.server.process is not None:
            reader.server.stop()


def environment(home: Path) -> dict[str, str]:
    """The reader's: this checkout's package, and the command beside all others."""
    return {
        **os.environ,
        "PATH": f"{home / '.commands'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "XDG_CONFIG_HOME": str(home / ".config"),
    }
