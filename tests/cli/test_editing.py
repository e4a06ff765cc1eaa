"""``rollbook cluster edit`` with editors that are scripts: what is sent, merged, refused and kept."""

import re
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Rollbook
from tests.examples import cluster
from tests.serving import ServerProcess


def editor(monkeypatch: pytest.MonkeyPatch, home: Path, *steps: str) -> None:
    """Sets an editor that does one step of Python each time it is opened, with the file's text in ``text``."""
    script = home / "editor.py"
    script.write_text(
        "import sys, pathlib, httpx, os\n"
        "path, opened = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[0] + '.opened')\n"
        "count = len(opened.read_text()) if opened.exists() else 0\n"
        "opened.write_text('x' * (count + 1))\n"
        "text = path.read_text()\n"
        "def put(body): httpx.put(os.environ['ROLLBOOK_URL'] + '/clusters/west-1', json=body).raise_for_status()\n"
        f"steps = {steps!r}\n"
        "exec(steps[min(count, len(steps) - 1)])\n"
        "path.write_text(text)\n"
    )
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    monkeypatch.delenv("VISUAL", raising=False)


BUSY = "text = text.replace('status: live', 'status: busy')"


def test_only_what_was_changed_is_sent(
    rollbook: Rollbook, fleet: httpx.Client, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    editor(monkeypatch, home, BUSY)
    ran = rollbook("cluster", "edit", "west-1", "--reason", "by hand", "-v")
    assert (ran.code, "west-1 changed" in ran.err) == (0, True)
    assert re.search(r"curl -X PATCH .*if-match.*/status", ran.err)
    assert fleet.get("/clusters/west-1").json()["status"] == "busy"
    assert fleet.get("/clusters/west-1/history").json()[0]["reason"] == "by hand"
    assert "west-1 unchanged" in rollbook("cluster", "edit", "west-1").err


def test_json_is_edited_too(
    rollbook: Rollbook, fleet: httpx.Client, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    editor(monkeypatch, home, "text = text.replace('\"live\"', '\"busy\"')")
    assert rollbook("cluster", "edit", "west-1", "--json").code == 0
    assert fleet.get("/clusters/west-1").json()["status"] == "busy"


def test_what_does_not_touch_is_merged(
    rollbook: Rollbook, fleet: httpx.Client, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    editor(monkeypatch, home, f"{BUSY}; put({{'reputation': 7}})")
    assert rollbook("cluster", "edit", "west-1").code == 0
    document = fleet.get("/clusters/west-1").json()
    assert (document["status"], document["reputation"]) == ("busy", 7)


def test_where_both_touch_the_editor_opens_with_both(
    rollbook: Rollbook, fleet: httpx.Client, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    first = f"{BUSY}; text = text.replace('gpu', 'tpu', 1) if False else text; put({{'status': 'maintenance'}})"
    second = "assert '# Yours at /status: \"busy\"' in text and 'status: maintenance' in text; text = text.replace(" \
        "'status: maintenance', 'status: draining')"  # fmt: skip
    editor(monkeypatch, home, first, second)
    ran = rollbook("cluster", "edit", "west-1")
    assert (ran.code, "look again" in ran.err) == (0, True)
    assert fleet.get("/clusters/west-1").json()["status"] == "draining"


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("text = text.replace('memory: 1024', 'memory: lots', 1)", 3),
        ("text = text + ': ['", 3),
        ("text = '[]'", 3),
    ],
)
def test_a_refused_edit_stays_in_a_file(
    rollbook: Rollbook, fleet: httpx.Client, monkeypatch: pytest.MonkeyPatch, home: Path, step: str, code: int
) -> None:
    editor(monkeypatch, home, step)
    before = fleet.get("/clusters/west-1").headers["etag"]
    ran = rollbook("cluster", "edit", "west-1")
    kept = re.search(r"your edit is in (\S+)", ran.err)
    assert ran.code == code
    assert kept
    assert Path(kept[1]).stat().st_mode & 0o077 == 0
    Path(kept[1]).unlink()
    assert fleet.get("/clusters/west-1").headers["etag"] == before


@pytest.mark.parametrize("command", ["false", "/no/such/editor", "'unclosed"])
def test_an_editor_that_fails_changes_nothing(
    rollbook: Rollbook, fleet: httpx.Client, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("EDITOR", command)
    monkeypatch.delenv("VISUAL", raising=False)
    before = fleet.get("/clusters/west-1").headers["etag"]
    assert rollbook("cluster", "edit", "west-1").code == 2
    assert fleet.get("/clusters/west-1").headers["etag"] == before


def test_an_edit_outlives_a_server_that_dies_meanwhile(
    rollbook: Rollbook, server: ServerProcess, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    httpx.post(f"{server.url}/clusters", json=cluster("west-1")).raise_for_status()
    monkeypatch.setenv("ROLLBOOK_URL", server.url)
    assert server.process is not None
    editor(monkeypatch, home, f"os.kill({server.process.pid}, 9); {BUSY}")
    ran = rollbook("cluster", "edit", "west-1")
    kept = re.search(r"your edit is in (\S+)", ran.err)
    assert (ran.code, kept is not None) == (5, True)
    assert kept is not None
    path = Path(kept[1])
    assert "status: busy" in path.read_text()

    server.process.wait(30)
    server.start()
    assert httpx.get(f"{server.url}/clusters/west-1").json()["status"] == "live"
    assert rollbook("cluster", "apply", "-f", str(path)).code == 0
    assert httpx.get(f"{server.url}/clusters/west-1").json()["status"] == "busy"
    path.unlink()


def test_an_edit_that_is_no_text_is_kept(
    rollbook: Rollbook, fleet: httpx.Client, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    editor(monkeypatch, home, "path.write_bytes(text.encode() + bytes([255])); sys.exit(0)")
    ran = rollbook("cluster", "edit", "west-1")
    kept = re.search(r"your edit is in (\S+)", ran.err)
    assert (ran.code, kept is not None) == (2, True)
    assert kept is not None
    Path(kept[1]).unlink()
