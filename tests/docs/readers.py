"""Somebody who follows a page word by word: a directory, a shell, and a registry of their own.

One rule: a page that starts no server (``make run``) finds one running. The reader's server listens on a free port and
so does not disturb, or need, port 3000; what the page says about 3000 is read as that port.
"""

import doctest
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT, Command, Session, shows

SERVE = (sys.executable, "-m", "rollbook", "serve")

STARTS_A_SERVER = {"make run": SERVE, "rollbook serve": SERVE}
"""Commands of a page that go on until they are stopped, and what is run for them."""

SECONDS_MAX = 30


@dataclass
class Reader:
    """Follows one page in ``home``, against the server on ``port``."""

    home: Path
    port: int
    server: subprocess.Popen[bytes] | None = None
    names: dict[str, Any] = field(default_factory=dict)

    def follow(self, example: Command | Session) -> None:
        """Do what the example says; fails where it does not give what the page shows."""
        if isinstance(example, Session):
            self._converse(example)
        elif example.text in STARTS_A_SERVER:
            self.start_server(STARTS_A_SERVER[example.text])
        else:
            self._run(example)

    def start_server(self, command: tuple[str, ...] = SERVE) -> None:
        """Start the reader's server, unless it runs, and wait until it listens."""
        if self.server is None:
            self.server = subprocess.Popen(command, cwd=self.home, env=self._environment(), stderr=subprocess.PIPE)
        deadline = time.monotonic() + SECONDS_MAX
        while not is_listening(self.port):
            assert self.server.poll() is None, f"the server ended: {self.server.communicate()[1].decode()}"
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.05)

    def stop_server(self) -> None:
        """Stop the reader's server as Ctrl-C does."""
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)
            self.server.communicate(timeout=SECONDS_MAX)
            self.server = None

    def _run(self, command: Command) -> None:
        done = subprocess.run(
            ["bash", "-c", self._here(command.text)],
            cwd=self.home,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_MAX,
        )
        printed = done.stdout.replace(f"localhost:{self.port}", "localhost:3000")
        assert shows(command.expected, printed), (
            f"line {command.line}: $ {command.text}\nthe page shows:\n{command.expected}\nit prints:\n{printed}"
        )

    def _converse(self, session: Session) -> None:
        test = doctest.DocTestParser().get_doctest(self._here(session.text), self.names, "page", None, session.line - 1)
        told: list[str] = []
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=told.append, clear_globs=False)
        self.names.update(test.globs)
        assert not told, "".join(told)

    def _here(self, text: str) -> str:
        return text.replace("localhost:3000", f"localhost:{self.port}")

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{self.home / '.commands'}{os.pathsep}{os.environ['PATH']}",
            "PORT": str(self.port),
            "PYTHONPATH": str(ROOT / "src"),
            "COLUMNS": "120",
        }


@contextmanager
def reader_in(home: Path) -> Iterator[Reader]:
    """A reader with the checkout's examples at hand and the command ``rollbook`` installed."""
    if shutil.which("curl") is None:
        pytest.skip("the examples need curl")
    shutil.copytree(ROOT / "docs" / "examples", home / "docs" / "examples")
    command = home / ".commands" / "rollbook"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rollbook "$@"\n')
    command.chmod(0o755)
    reader = Reader(home, free_port())
    try:
        yield reader
    finally:
        reader.stop_server()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
