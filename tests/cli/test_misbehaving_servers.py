"""Whatever answers at ``--url``, a command ends in words and in the exit code of its error, without a trace.

The server here speaks raw bytes: what no HTTP server of a library would send.
"""

import gzip
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, Rollbook
from tests.examples import cluster

UNAVAILABLE, REFUSED, MISUSED, FAILED, STOPPED = 5, 3, 2, 1, 130
SECONDS_MAX = 30


@contextmanager
def speaking(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server whose connections are each given to ``answer`` when a request has begun. Its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def speak(connection: socket.socket) -> None:
            with connection:
                try:
                    connection.recv(65536)
                    answer(connection)
                except OSError:  # the client has left
                    pass

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=speak, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def replying(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> Callable[..., None]:
    """One whole answer to everything."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return lambda connection: connection.sendall("\r\n".join([*head, "", ""]).encode() + body)


def raw(data: bytes) -> Callable[[socket.socket], None]:
    """These bytes, and the end of the connection."""
    return lambda connection: connection.sendall(data)


def in_one_line(done: Ran) -> str:
    """What was said about the error."""
    said = [line for line in done.err.splitlines() if line != "0 imported, 0 refused"]
    assert len(said) == 1, said
    return said[0]


DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
JSON = "Content-Type: application/json"
ANSWERS = {
    "junk after the array": replying(b'[{"id":"a"}]junk', JSON),
    "no comma": replying(b'[{"id":"a"}{"id":"b"}]', JSON),
    "two commas": replying(b'[{"id":"a"},,{"id":"b"}]', JSON),
    "cut": replying(b'[{"id":"a"}', JSON),
    "an object": replying(b'{"id":"a"}', JSON),
    "numbers": replying(b"[1, 2]", JSON),
    "not a number": replying(b'[{"id":"a","memory":NaN}]', JSON),
    "a number too long": replying(b'[{"id":"a","memory":1' + b"0" * 5000 + b"}]", JSON),
    "half a surrogate": replying(rb'[{"id":"\ud800"}]', JSON),
    "no UTF-8": replying(b'[{"id":"\xff"}]', JSON),
    "deep": replying(b"[" + DEEP + b"]", JSON),
    "nothing": replying(b""),
    "bad gzip": replying(b'[{"id":"a"}]', JSON, "Content-Encoding: gzip"),
    "cut gzip": replying(gzip.compress(b'[{"id":"a"}]' * 1000)[:40], JSON, "Content-Encoding: gzip"),
    "unknown encoding": replying(b"\x00\x01\x02", JSON, "Content-Encoding: br"),
    "a shorter body": replying(b'[{"id":"a"}]', JSON, length=100),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "no answer": raw(b""),
    "a head that is cut": raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "bad chunks": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n"),
    "a header without a name": raw(b"HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\n[]"),
    "an endless header": raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000),
    "a redirect": replying(b"", "Location: http://127.0.0.1:1/", status="302 Found"),
    "a page": replying(b"<html>\x1b[2J</html>", "Content-Type: text/html", status="502 Bad\x1bGateway"),
    "a refusal that is a list": replying(b"[]", JSON, status="400 Bad Request"),
    "a refusal of numbers": replying(b'{"error":1,"code":2,"detail":3,"errors":4}', JSON, status="400 Bad Request"),
    "a deep refusal": replying(DEEP, JSON, status="400 Bad Request"),
    "bad gzip in a refusal": replying(b"{}", JSON, "Content-Encoding: gzip", status="400 Bad Request"),
}
"""What no registry answers."""

READ_OF_A_QUERY = frozenset({"not a number", "a number too long", "half a surrogate", "an object", "numbers"})
"""Those whose oddness only matters where the answer is read."""

REFUSALS = {
    "an unknown code": (b'{"error":"no","code":"what-is-that"}', FAILED),
    "odd places": (b'{"error":"no","code":"filter-refused","errors":[1,{"at":null},{"problem":[1]}]}', REFUSED),
    "errors that are text": (b'{"error":"no","code":"document-invalid","errors":"no"}', REFUSED),
    "a code that is a list": (b'{"error":"no","code":["filter-refused"]}', FAILED),
    "a huge MongoDB code": (b'{"error":"no","code":"filter-refused","mongoCode":1e400}', UNAVAILABLE),
    "half a surrogate": (rb'{"error":"\ud800 \u001b[2J\u0007","code":"filter-refused"}', UNAVAILABLE),
}


@pytest.fixture
def fleet(home: Path) -> Path:
    """A file of one cluster."""
    (home / "fleet.ndjson").write_text(json.dumps(cluster("west")) + "\n")
    return home


@pytest.fixture(params=["export", "import"])
def command(request: pytest.FixtureRequest) -> list[str]:
    """A command and its arguments, up to the address."""
    return ["export", "--url"] if request.param == "export" else ["import", "fleet.ndjson", "--url"]


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_no_answer_of_a_registry_ends_in_one_line(
    rollbook: Rollbook, fleet: Path, command: list[str], name: str
) -> None:
    with speaking(ANSWERS[name]) as url:
        done = rollbook(*command, url)
    if name in READ_OF_A_QUERY and command[0] == "import":
        assert done.code == UNAVAILABLE or done.err == "1 imported, 0 refused\n"
        return
    assert done.code == UNAVAILABLE, done
    assert in_one_line(done).isprintable()


@pytest.mark.parametrize("name", REFUSALS)
def test_odd_refusals_end_in_words(rollbook: Rollbook, fleet: Path, command: list[str], name: str) -> None:
    body, code = REFUSALS[name]
    with speaking(replying(body, JSON, status="400 Bad Request")) as url:
        done = rollbook(*command, url)
    assert done.code == code
    assert all(line.isprintable() for line in done.err.splitlines())


PROXIES = [
    {"ALL_PROXY": "socks5h://127.0.0.1:1"},
    {"ALL_PROXY": "gopher://127.0.0.1:1"},
    {"HTTP_PROXY": ":::"},
    {"HTTP_PROXY": "http://[::"},
    {"HTTP_PROXY": "http://127.0.0.1:99999"},
    {"HTTP_PROXY": "http://127.0.0.1:1"},
    {"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "["},
    {"SSL_CERT_FILE": "/nowhere"},
    {"SSL_CERT_FILE": "fleet.ndjson"},
]


@pytest.mark.parametrize("environment", PROXIES, ids=str)
def test_an_odd_environment_is_named_or_does_no_harm(
    rollbook: Rollbook, fleet: Path, command: list[str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = rollbook(*command, "http://registry.invalid:1")
    assert done.code in (MISUSED, UNAVAILABLE)
    in_one_line(done)


def stalling(connection: socket.socket) -> None:
    """The beginning of an answer, and then nothing."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{"id":"a"},')
    time.sleep(SECONDS_MAX)


def silent(connection: socket.socket) -> None:
    """Nothing at all."""
    time.sleep(SECONDS_MAX)


@pytest.mark.parametrize(("answer", "number"), [(stalling, signal.SIGINT), (silent, signal.SIGTERM)])
def test_a_server_that_says_nothing_more_does_not_keep_a_command_from_its_end(
    fleet: Path, command: list[str], answer: Callable[[socket.socket], None], number: signal.Signals
) -> None:
    asked = threading.Event()

    def ask(connection: socket.socket) -> None:
        asked.set()
        answer(connection)

    with speaking(ask) as url:
        process = subprocess.Popen(
            [sys.executable, "-m", "rollbook", *command, url],
            cwd=fleet,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert asked.wait(SECONDS_MAX)
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=SECONDS_MAX)
        assert time.monotonic() - began < 3.0
    assert process.returncode == STOPPED
    assert b"Traceback" not in said, said.decode()
    assert b"stopped after" in said
