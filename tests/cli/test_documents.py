"""Import and export do the same on a data directory and on a server."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
import zstandard

from tests.cli.conftest import Rollbook
from tests.examples import cluster, node
from tests.serving import ServerProcess


@pytest.fixture(params=["data", "url"])
def place(request: pytest.FixtureRequest) -> list[str]:
    """The flags that name an empty registry: a directory that is not there yet, or a server."""
    if request.param == "data":
        return ["--data", "kept"]
    server: ServerProcess = request.getfixturevalue("server")
    return ["--url", server.url]


def ndjson(*documents: dict) -> str:
    return "".join(json.dumps(each) + "\n" for each in documents)


def exported(rollbook: Rollbook, place: list[str]) -> list[dict]:
    ran = rollbook("export", *place)
    assert (ran.code, ran.err) == (0, "")
    return [json.loads(line) for line in ran.out.splitlines()]


def test_what_goes_in_comes_out_in_order_of_creation(rollbook, place, home: Path) -> None:
    (home / "fleet.ndjson").write_text(ndjson(cluster("west"), cluster("east"), cluster("nord", tags=["Überholung"])))
    ran = rollbook("import", *place, "fleet.ndjson")
    assert (ran.code, ran.out, ran.err) == (0, "", "3 imported, 0 refused\n")
    assert [(each["id"], each["tags"]) for each in exported(rollbook, place)] == [
        ("west", ["gpu"]),
        ("east", ["gpu"]),
        ("nord", ["Überholung"]),
    ]


def test_more_documents_than_go_together_are_imported_in_their_order(rollbook, place, home: Path) -> None:
    ids = [f"c{number}" for number in range(600)]
    (home / "fleet.ndjson").write_text(ndjson(*map(cluster, ids), {"id": "half"}, cluster("c0")))
    ran = rollbook("import", *place, "fleet.ndjson")
    assert ran.code == 1
    assert [line.partition(":")[0] for line in ran.err.splitlines() if line.startswith("line ")] == [
        "line 601",
        "line 602",
    ]
    assert ran.err.endswith("[cluster-exists]\n600 imported, 2 refused\n")
    assert [each["id"] for each in exported(rollbook, place)] == ids


def test_an_export_can_be_imported_and_is_the_same(rollbook, place, home: Path) -> None:
    (home / "fleet.ndjson").write_text(ndjson(cluster("west"), cluster("east")))
    rollbook("import", *place, "fleet.ndjson")
    first = rollbook("export", *place).out
    (home / "copy.ndjson").write_text(first)
    rollbook("import", "--data", "copy", "copy.ndjson")
    assert rollbook("export", "--data", "copy").out == first


def test_a_failing_line_is_told_by_its_number_and_the_others_go_on(rollbook, place, home: Path) -> None:
    lines = (
        ndjson(cluster("west")) + '{"id":\n\n' + ndjson(cluster("!"), cluster("east", memory="lots"), cluster("nord"))
    )
    (home / "fleet.ndjson").write_text(lines)
    ran = rollbook("import", *place, "fleet.ndjson")
    assert ran.code == 1
    told = [line for line in ran.err.splitlines() if line.startswith("line ")]
    assert [line.partition(":")[0] for line in told] == ["line 2", "line 4", "line 5"]
    assert "[malformed-json]" in told[0]
    assert '"lots"' in told[2]
    assert "(at /memory) [document-invalid]" in told[2]
    assert ran.err.endswith("2 imported, 3 refused\n")
    assert [each["id"] for each in exported(rollbook, place)] == ["west", "nord"]


def test_an_id_that_exists_fails(rollbook, place, home: Path) -> None:
    (home / "fleet.ndjson").write_text(ndjson(cluster("west"), cluster("west", status="draining")))
    ran = rollbook("import", *place, "fleet.ndjson")
    assert ran.code == 1
    assert ran.err.startswith("line 2: ")
    assert "[cluster-exists]" in ran.err
    assert exported(rollbook, place)[0]["status"] == "live"


def test_with_replace_a_document_takes_the_place_of_its_predecessor(rollbook, place, home: Path) -> None:
    (home / "old.ndjson").write_text(ndjson(cluster("west", reputation=9, **{"a.b": 1}), cluster("east")))
    (home / "new.ndjson").write_text(ndjson(cluster("west", node("n1"), node("n2"), **{"c.d": {"$x": 1}})))
    rollbook("import", *place, "old.ndjson")
    ran = rollbook("import", *place, "--replace", "new.ndjson")
    assert ran.err.endswith("1 imported, 0 refused\n")
    west, east = exported(rollbook, place)
    assert "reputation" not in west
    assert "a.b" not in west
    assert west["c.d"] == {"$x": 1}
    assert (west["nodes"]["count"], west["gpus"]["count"], west["memory"]) == (2, 4, 2048)
    assert east["id"] == "east"


@pytest.mark.parametrize(
    "text", [json.dumps([cluster("west"), cluster("east")], indent=2), json.dumps(cluster("west"), indent=2)]
)
def test_an_array_or_a_single_document_is_as_good(rollbook, place, home: Path, text: str) -> None:
    (home / "fleet.json").write_text(text)
    assert rollbook("import", *place, "fleet.json").code == 0
    assert exported(rollbook, place)[0]["id"] == "west"


def test_all_problems_of_a_document_are_told(rollbook, place, home: Path) -> None:
    (home / "fleet.ndjson").write_text(ndjson(cluster("west", memory="lots", swap=-1)))
    ran = rollbook("import", *place, "fleet.ndjson")
    assert ran.code == 1
    assert "\n  /memory: " in ran.err
    assert "\n  /swap: " in ran.err


def test_a_document_that_is_no_object_is_refused(rollbook, place, home: Path) -> None:
    (home / "fleet.json").write_text("[5]")
    ran = rollbook("import", *place, "fleet.json")
    assert ran.code == 1
    assert ran.err.startswith("document 1: ")


def test_what_the_registry_warns_of_is_told_with_the_line(rollbook, place, home: Path) -> None:
    (home / "fleet.ndjson").write_text(ndjson(cluster("west", memory=5)))
    ran = rollbook("import", *place, "fleet.ndjson")
    assert ran.code == 0
    assert ran.err.startswith("warning: line 1: ")
    assert "memory" in ran.err


def test_more_documents_than_one_batch_are_imported_and_keep_their_order_in_a_directory(
    rollbook, place, home: Path
) -> None:
    ids = [f"c{number:03}" for number in range(150)]
    (home / "fleet.ndjson").write_text(ndjson(*map(cluster, ids)))
    assert rollbook("import", *place, "fleet.ndjson").err == "150 imported, 0 refused\n"
    found = [each["id"] for each in exported(rollbook, place)]
    assert (sorted(found) if "--url" in place else found) == ids


def test_of_several_lines_with_one_id_the_last_one_stays(rollbook, place, home: Path) -> None:
    versions = [{**cluster("west"), "reputation": number} for number in range(40)]
    (home / "fleet.ndjson").write_text(ndjson(*versions))
    rollbook("import", *place, "--replace", "fleet.ndjson")
    assert [each["reputation"] for each in exported(rollbook, place)] == [39]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_compressed_file_is_written_and_read_by_its_name(rollbook, place, home: Path, suffix: str) -> None:
    (home / "fleet.ndjson").write_text(ndjson(cluster("west"), cluster("east")))
    rollbook("import", *place, "fleet.ndjson")
    assert rollbook("export", *place, "--output", f"all{suffix}").out == ""
    assert (home / f"all{suffix}").read_bytes()[:2] in (b"\x1f\x8b", b"(\xb5")
    assert rollbook("import", "--data", "copy", f"all{suffix}").err == "2 imported, 0 refused\n"
    (home / f"cut{suffix}").write_bytes((home / f"all{suffix}").read_bytes()[:-9])
    cut = rollbook("import", "--data", "cut", f"cut{suffix}")
    assert (cut.code, "Traceback" in cut.err) == (1, False)
    assert f"cut{suffix} is damaged or ends too early" in cut.err


def test_an_import_from_a_pipe_is_as_far_as_the_pipe_and_ends_at_a_signal(home: Path) -> None:
    with ServerProcess(home / "served") as server:
        command = [sys.executable, "-m", "rollbook", "import", "--url", server.url, "-"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdin is not None
        process.stdin.write(ndjson(cluster("west")))
        process.stdin.flush()
        deadline = time.monotonic() + 30
        while httpx.get(f"{server.url}/clusters/west").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "1 imported, 0 refused" in said
    assert "stopped after line 1: run the command again with --replace to go on" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("pipe", ["-", "fifo"])
def test_an_import_whose_input_stays_open_ends_within_a_second_of_a_signal(
    home: Path, pipe: str, number: signal.Signals
) -> None:
    os.mkfifo(home / "fifo")
    command = [sys.executable, "-m", "rollbook", "import", "--data", "kept", pipe]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stderr is not None
    with process.stdin if pipe == "-" else (home / "fifo").open("w") as feeding:
        feeding.write(ndjson(cluster("west", **{"\x1b[2J\u009b": 1}), {"id": "no cluster"}))
        feeding.write('{"id": "half')
        feeding.flush()
        said = process.stderr.readline() + process.stderr.readline()
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(30) == 130
        assert time.monotonic() - began < 3  # it is a second where the machine is quiet
        said += process.stderr.read()
    assert r"\x1b[2J\x9b" in said
    assert said.isascii()
    assert "\x1b" not in said
    assert "1 imported, 1 refused" in said
    assert "stopped after line 2: run the command again with --replace to go on" in said


def test_the_reason_is_kept_in_the_history(rollbook, place, home: Path) -> None:
    (home / "fleet.ndjson").write_text(ndjson(cluster("west")))
    assert rollbook("import", *place, "--reason", "the große move", "fleet.ndjson").code == 0
    kept = home / ("kept" if "--data" in place else "served")
    assert "the große move".encode() in b"".join(path.read_bytes() for path in kept.iterdir() if path.is_file())


def test_standard_input_is_a_file_too(home: Path) -> None:
    command = [sys.executable, "-m", "rollbook", "import", "--data", "kept", "-"]
    done = subprocess.run(command, input=ndjson(cluster("west")), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "1 imported, 0 refused\n")


@pytest.mark.parametrize(("suffix", "compress"), [("gz", gzip.compress), ("zst", zstandard.compress)])
def test_a_compressed_file_is_read_by_its_name_and_a_cut_one_is_refused(rollbook, home: Path, suffix, compress) -> None:
    name = f"fleet.ndjson.{suffix}"
    whole = compress(ndjson(cluster("west")).encode()) + compress(ndjson(cluster("east")).encode())
    (home / name).write_bytes(whole[:-9])
    ran = rollbook("import", "--data", "cut", name)
    assert ran.code == 1
    assert f"{name} is damaged or ends too early" in ran.err
    (home / name).write_bytes(whole)
    ran = rollbook("import", "--data", "kept", name)
    assert (ran.code, ran.err) == (0, "2 imported, 0 refused\n")


def test_the_variable_names_the_directory_when_no_flag_does(rollbook, home: Path, monkeypatch) -> None:
    monkeypatch.setenv("ROLLBOOK_DATA", "elsewhere")
    (home / "fleet.ndjson").write_text(ndjson(cluster("west")))
    assert rollbook("import", "fleet.ndjson").code == 0
    assert (home / "elsewhere").is_dir()
    assert not (home / "data").exists()


def test_a_directory_and_a_server_at_once_are_refused(rollbook) -> None:
    ran = rollbook("export", "--data", "kept", "--url", "http://localhost:1")
    assert ran.code == 2
    assert "--data and --url exclude each other" in ran.err


def test_a_file_that_is_not_there_is_told(rollbook) -> None:
    ran = rollbook("import", "--data", "kept", "nothing.ndjson")
    assert (ran.code, ran.err) == (2, "can't read nothing.ndjson: No such file or directory [setting-refused]\n")


@pytest.mark.parametrize("file", [".", "fleet.gz", "fleet.zst"])
def test_a_directory_is_no_file(rollbook, home: Path, file: str) -> None:
    (home / file).mkdir(exist_ok=True)
    ran = rollbook("import", "--data", "kept", file)
    assert (ran.code, ran.err) == (2, f"can't read {file}: Is a directory [setting-refused]\n")


def test_a_file_of_zeros_ends(rollbook, home: Path) -> None:
    (home / "zeros").write_bytes(bytes(1_000_000))
    ran = rollbook("import", "--data", "kept", "zeros")
    assert ran.code == 1
    assert "line 1: it is not JSON" in ran.err
    assert "0 imported, 1 refused" in ran.err


def test_an_export_makes_no_directory(rollbook, home: Path) -> None:
    ran = rollbook("export", "--data", "nowhere")
    assert ran.code == 2
    assert "there is no registry in nowhere" in ran.err
    assert not (home / "nowhere").exists()


def test_a_directory_in_use_is_told(rollbook, home: Path, server: ServerProcess) -> None:
    assert server.process is not None
    ran = rollbook("export", "--data", "served")
    assert ran.code == 5
    assert f"pid {server.process.pid}" in ran.err


def test_an_import_stops_when_the_server_is_not_there(rollbook, home: Path) -> None:
    (home / "fleet.ndjson").write_text(ndjson(cluster("west"), cluster("east")))
    ran = rollbook("import", "--url", "http://127.0.0.1:9", "fleet.ndjson")
    assert ran.code == 5
    assert ran.err.count("[registry-unreachable]") == 1
    assert "0 imported, 0 refused" in ran.err


def test_what_was_imported_before_the_server_went_away_is_counted(rollbook, home: Path) -> None:
    (home / "fleet.ndjson").write_text(ndjson(cluster("west"), cluster("east"), cluster("nord")))
    with mortal_server(results=2) as url:
        ran = rollbook("import", "--url", url, "fleet.ndjson")
    assert ran.code == 5
    assert "2 imported, 0 refused" in ran.err


@contextmanager
def mortal_server(*, results: int) -> Iterator[str]:
    """The URL of something that enrols whatever it is sent, and goes away after this many lines of its answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"line":1,"status":201,"id":"a","revision":1}\n' * results)

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=lambda: [server.handle_request(), server.server_close()])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        thread.join(30)


def test_an_import_waits_as_long_as_the_server_asks_it_to(rollbook, home: Path) -> None:
    (home / "fleet.ndjson").write_text(ndjson(cluster("west")))
    with busy_server(retry_after=1) as (url, asked):
        ran = rollbook("import", "--url", url, "fleet.ndjson")
    assert (ran.code, ran.err.strip()) == (0, "1 imported, 0 refused")
    assert asked[1] - asked[0] >= 1


@contextmanager
def busy_server(*, retry_after: int) -> Iterator[tuple[str, list[float]]]:
    """The URL of something that refuses the first request for now, and when it was asked."""
    asked: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            asked.append(time.monotonic())
            body = b'{"line":1,"status":201,"id":"west","revision":1}\n'
            if len(asked) == 1:
                body = b'{"status":429,"code":"rate-exceeded","detail":"too many"}'
                self.send_response(429)
                self.send_header("retry-after", str(retry_after))
            else:
                self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=lambda: [server.handle_request(), server.handle_request()])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        thread.join(30)


def test_an_address_that_is_none_is_told(rollbook, home: Path) -> None:
    ran = rollbook("export", "--url", "localhost:3000")
    assert ran.code == 2
    assert "must look like http://localhost:3000" in ran.err


def test_a_reader_that_has_enough_ends_an_export_quietly(rollbook, home: Path) -> None:
    (home / "fleet.ndjson").write_text(ndjson(*(cluster(f"c{number:03}") for number in range(150))))
    rollbook("import", "--data", "kept", "fleet.ndjson")
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m rollbook export --data kept | head -c 5'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ('{"id"', "")


def test_a_full_disk_is_told(rollbook, home: Path) -> None:
    (home / "fleet.ndjson").write_text(ndjson(cluster("west")))
    rollbook("import", "--data", "kept", "fleet.ndjson")
    command = f'"{sys.executable}" -m rollbook export --data kept > /dev/full'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "[Errno 28] No space left on device\n")


def test_a_terminal_sees_how_far_an_import_is(home: Path) -> None:
    (home / "fleet.ndjson").write_text(ndjson(cluster("west")))
    shown = on_a_terminal("import", "--data", "kept", "fleet.ndjson")
    assert "importing" in shown
    assert "1 documents" in shown
    assert "1 imported, 0 refused" in shown


def test_what_terminals_obey_is_escaped_on_a_terminal_and_nowhere_else(rollbook, home: Path) -> None:
    odd = "\x1b[2J \x7f \x9b31m \u202e é"
    (home / "fleet.ndjson").write_text(ndjson(cluster("west", regionId=odd)))
    rollbook("import", "--data", "kept", "fleet.ndjson")
    shown = on_a_terminal("export", "--data", "kept", stream="stdout")
    assert r'"regionId":"\u001b[2J \u007f \u009b31m \u202e é"' in shown
    assert odd[7:] in rollbook("export", "--data", "kept").out


def on_a_terminal(*arguments: str, stream: str = "stderr") -> str:
    """What a command shows on a terminal of its own."""
    ours, theirs = os.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen([sys.executable, "-m", "rollbook", *arguments], env=environment, **{stream: theirs})
    process.wait(30)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # Linux tells the end of a terminal so
        pass
    os.close(ours)
    return shown.decode()


def test_documents_go_into_an_engine_and_come_out_of_it_beside_its_servers(
    rollbook: Rollbook, home: Path, monkeypatch: pytest.MonkeyPatch, postgresql_url: str
) -> None:
    (home / "fleet.ndjson").write_bytes(json.dumps(cluster("west")).encode() + b"\n")
    with ServerProcess(home / "cache", environment={"ROLLBOOK_JOURNAL": postgresql_url}) as server:
        ran = rollbook("import", "--journal", postgresql_url, "fleet.ndjson")
        assert (ran.code, ran.err) == (0, "1 imported, 0 refused\n")
        assert httpx.get(f"{server.url}/clusters/west?consistency=strong").status_code == 200
        monkeypatch.setenv("ROLLBOOK_JOURNAL", postgresql_url)
        exported = rollbook("export").out
        assert json.loads(exported)["id"] == "west"
        assert rollbook("export", "--to", "west.json").code == 0
        assert rollbook("import", "--from", "west.json").err.startswith("0 imported, 1 there already, 0 refused\n")
        for command in (("import", "fleet.ndjson"), ("export",)):
            both = rollbook(*command, "--journal", postgresql_url, "--url", server.url)
            assert (both.code, "--url and --journal exclude each other" in both.err) == (2, True)
            refused = rollbook(*command, "--data", "data")
            assert (refused.code, "ROLLBOOK_JOURNAL names an engine" in refused.err) == (2, True)
        refused = rollbook("backup", "create", "b.backup")
        assert (refused.code, "with --url" in refused.err) == (2, True)
    assert not (home / "data").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("import", "--data", "data", "--from", "postgresql://me:hush@db/blocks"),
        ("import", "--data", "data", "MONGODB://me:hush@db/blocks"),
        ("export", "--to", "MONGODB://me:hush@db/blocks"),
        ("cluster", "ls", "--url", "postgresql://me:hush@db/blocks"),
        ("check", "postgresql://me:hush@db/blocks"),
        ("token", "ls", "postgresql://me:hush@db/blocks"),
        ("export", "--postgresql://me:hush@db/blocks"),
        ("move", "--from", "jdbc:postgresql://me:hush@db/blocks", "--to", "data"),
        ("check", "--journal", "postgresql://me:hush@[::1/blocks"),
        ("check", "--journal", "postgresql://me:hush%zz@db/blocks"),
        ("check", "--journal", "postgresql://me:what hush@db/blocks"),
        ("check", "--journal", "postgresql://me:what@hush@db/blocks"),
        ("check", "--journal", "postgresql://db/blocks?password=a=hush"),
    ],
)
def test_no_command_shows_a_password_of_an_address(home: Path, rollbook: Rollbook, command: tuple[str, ...]) -> None:
    (home / "none").touch()
    assert rollbook("import", "--data", "data", "none").code == 0
    ran = rollbook(*command)
    assert (ran.code, ran.err != "") == (2, True)
    assert "hush" not in ran.out + ran.err


def test_what_is_wrong_with_a_connection_string_is_said(rollbook: Rollbook) -> None:
    ran = rollbook("check", "--journal", "postgresql://me:100%sure@db/blocks")
    assert 'invalid percent-encoded token: "***"' in ran.err
    assert "as %40" in rollbook("check", "--journal", "postgresql://me:p@ss@db/blocks").err


def test_a_password_in_an_address_is_not_shown(rollbook: Rollbook) -> None:
    ran = rollbook("export", "--data", "postgresql://me:hush@db/rollbook")
    assert (ran.code, "hush" in ran.err, "--journal" in ran.err) == (2, False, True)
