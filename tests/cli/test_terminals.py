"""The interactive commands in a terminal, as a person uses them: tmux types, and the screen is read."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.serving import ServerProcess

WAIT = 30.0
TMUX = shutil.which("tmux")

if TMUX is None and os.environ.get("ROLLBOOK_TEST_REQUIRE") != "all":
    pytest.skip("tmux is not installed", allow_module_level=True)


class Terminal:
    """A terminal of 80 columns and 24 lines with bash in it, and ``rollbook`` on the path."""

    def __init__(self, home: Path, url: str, *, shell: str = "bash --noprofile --rcfile rc") -> None:
        commands = home / "commands"
        commands.mkdir()
        (commands / "rollbook").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rollbook "$@"\n')
        (commands / "rollbook").chmod(0o755)
        (home / "rc").write_text("PS1='ready> '\n")
        self.socket = str(home / "tmux")
        environment = os.environ | {
            "PATH": f"{commands}:{os.environ['PATH']}",
            "ROLLBOOK_URL": url,
            "XDG_CONFIG_HOME": str(home),
            "TERM": "xterm-256color",
        }
        arguments = ["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", shell]
        subprocess.run([str(TMUX), "-S", self.socket, *arguments], env=environment, cwd=home, check=True)

    def type(self, *keys: str) -> None:
        """Press keys: text, or names such as ``Enter``, ``Tab`` and ``C-c``."""
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p")

    def shows(self, what: str | Callable[[str], bool]) -> str:
        """Wait until the screen shows something, and return it all."""
        deadline = time.monotonic() + WAIT
        while True:
            screen = self.screen()
            if what(screen) if callable(what) else what in screen:
                return screen
            assert time.monotonic() < deadline, screen
            time.sleep(0.05)

    def end(self) -> None:
        self._tmux("kill-server")

    def _tmux(self, *arguments: str) -> str:
        return subprocess.run(
            [str(TMUX), "-S", self.socket, *arguments], capture_output=True, text=True, check=True
        ).stdout


@pytest.fixture
def terminal(fleet: httpx.Client, fleet_server: ServerProcess, home: Path) -> Iterator[Terminal]:
    opened = Terminal(home, fleet_server.url)
    opened.shows("ready>")
    yield opened
    opened.end()


def test_top_shows_the_fleet_and_follows_it(terminal: Terminal, fleet: httpx.Client) -> None:
    terminal.type("rollbook fleet top --every 0.3", "Enter")
    terminal.shows("2 clusters   2 nodes   6 GPUs")
    fleet.put("/clusters/west-2", json={"status": "maintenance"})
    screen = terminal.shows("maintenance 1")
    assert all(len(line) <= 80 for line in screen.splitlines())
    terminal.type("q")
    after = terminal.shows(lambda screen: "GPUs" not in screen and screen.count("ready>") == 2)
    assert "fleet top" in after  # the screen is what it was before


def test_top_says_that_the_server_is_away(terminal: Terminal, fleet: httpx.Client) -> None:
    terminal.type("rollbook fleet top --every 0.3 --url http://127.0.0.1:9", "Enter")
    terminal.shows("is away")
    terminal.type("C-c")
    terminal.shows(lambda screen: screen.count("ready>") == 2)


def test_a_cluster_is_edited_in_an_editor(terminal: Terminal, fleet: httpx.Client) -> None:
    terminal.type("export EDITOR=vi", "Enter", "rollbook cluster edit west-1", "Enter")
    if shutil.which("vi") is None:
        terminal.shows("can't be run")
        return
    terminal.shows("# Cluster")
    terminal.type(":%s/status: live/status: busy/", "Enter", ":wq", "Enter")
    terminal.shows("west-1 changed")
    assert fleet.get("/clusters/west-1").json()["status"] == "busy"


def test_a_watch_and_a_wait_end_as_they_should(terminal: Terminal, fleet: httpx.Client) -> None:
    terminal.type("rollbook cluster wait west-1 --for 'status = busy' && echo it is", "Enter")
    time.sleep(0.5)
    fleet.put("/clusters/west-1", json={"status": "busy"})
    terminal.shows("\nit is")
    terminal.type("clear; rollbook cluster watch -o name", "Enter")
    time.sleep(0.5)
    deadline = time.monotonic() + WAIT
    while "\nwest-2" not in terminal.screen() and time.monotonic() < deadline:
        fleet.put("/clusters/west-2", json={"$inc": {"reputation": 1}})
        time.sleep(0.2)
    terminal.type("C-c")
    terminal.shows(lambda screen: "ready>" in screen.rpartition("west-2")[2])
    assert "Traceback" not in terminal.screen()


def test_bash_completes_verbs_ids_and_fields(terminal: Terminal, fleet: httpx.Client) -> None:
    terminal.type("source <(rollbook completion bash)", "Enter")
    terminal.shows(lambda screen: screen.count("ready>") == 2)
    terminal.type("rollbook clu", "Tab")
    terminal.shows("rollbook cluster")
    terminal.type("se", "Tab")
    terminal.shows("rollbook cluster set")
    terminal.type("west-1", "Tab", "statu", "Tab")
    terminal.shows("set west-1 status=")
    terminal.type("dr", "Tab")
    terminal.shows("status=draining")
    terminal.type("Enter")
    terminal.shows("west-1 changed")
    assert fleet.get("/clusters/west-1").json()["status"] == "draining"


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes_ids(fleet: httpx.Client, fleet_server: ServerProcess, home: Path) -> None:
    (home / ".zshrc").write_text("PS1='ready> '\nautoload -U compinit; compinit -u\n")
    terminal = Terminal(home, fleet_server.url, shell=f"env ZDOTDIR={home} zsh")
    terminal.shows("ready>")
    terminal.type("source <(rollbook completion zsh)", "Enter")
    terminal.shows(lambda screen: screen.count("ready>") == 2)
    terminal.type("rollbook cluster get west-1", "Tab", "-o", "Space", "na", "Tab")
    terminal.shows("get west-1 -o name")
    terminal.end()


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_ids(fleet: httpx.Client, fleet_server: ServerProcess, home: Path) -> None:
    terminal = Terminal(home, fleet_server.url, shell="fish --no-config --private")
    terminal.type("rollbook completion fish | source; echo is sourced", "Enter")
    terminal.shows("\nis sourced")
    terminal.type("rollbook cluster get west-1", "Tab", "-o", "Space", "na", "Tab")
    terminal.shows("get west-1 -o name")
    terminal.end()
