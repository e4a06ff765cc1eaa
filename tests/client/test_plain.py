"""The client of commands: what goes well it does itself, and hands everything else to a ``Client``."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from rollbook.client.plain import PlainClient, is_plain
from rollbook.errors import ClusterNotFound, RegistryUnreachable


def answer(status: str, body: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "content-type: application/json", *headers, "", body]
    return "\r\n".join(lines).encode()


READ = answer("200 OK", '{"id":"west"}', 'etag: "7"')
MISSING = answer("404 Not Found", '{"code":"cluster-not-found","error":"no cluster","detail":"no cluster"}')
BUSY = answer("503 Service Unavailable", '{"code":"overloaded","error":"busy","detail":"busy"}', "retry-after: 0")
LIST = answer("200 OK", '[{"id":"a"},{"id":"b"}]')


@contextmanager
def registry(answers: Sequence[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives each connection one answer and closes it; its address, and what it was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for each in answers:
                connection, _ = listener.accept()
                with connection:
                    data = b""
                    while b"\r\n\r\n" not in data:
                        data += connection.recv(65536)
                    head, _, body = data.partition(b"\r\n\r\n")
                    length = next(
                        (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), b":0"
                    )
                    while len(body) < int(length.partition(b":")[2]):
                        body += connection.recv(65536)
                    asked.append(head + b"\r\n\r\n" + body)
                    connection.sendall(each)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        thread.join(10)


def test_a_call_is_sent_and_read_as_by_any_client() -> None:
    with registry([READ]) as (url, asked), PlainClient(f"{url}/base/", token="secret") as client:
        reply = client.clusters.read("a b")
    assert (reply.document, reply.etag) == ({"id": "west"}, '"7"')
    assert asked[0].startswith(b"GET /base/clusters/a%20b HTTP/1.1\r\n")
    assert b"authorization: Bearer secret" in asked[0]


def test_a_refusal_raises_the_class_of_its_code() -> None:
    with registry([MISSING]) as (url, _), PlainClient(url) as client, pytest.raises(ClusterNotFound):
        client.clusters.read("west")


@pytest.mark.parametrize("first", [b"", READ[:-3], b"nonsense\r\n\r\n", BUSY], ids=["none", "cut", "no HTTP", "busy"])
def test_what_fails_and_may_be_asked_again_is_asked_by_a_client(first: bytes) -> None:
    with registry([first, READ]) as (url, asked), PlainClient(url) as client:
        assert client.clusters.read("west").document == {"id": "west"}
    assert [each.split(b" HTTP")[0] for each in asked] == [b"GET /clusters/west"] * 2


def test_a_write_whose_answer_was_lost_is_not_sent_again() -> None:
    with registry([b""]) as (url, asked), PlainClient(url) as client, pytest.raises(RegistryUnreachable) as lost:
        client.clusters.update("west", {"$inc": {"reputation": 1}})
    assert (len(asked), lost.value.may_be_done) == (1, True)
    assert "may have been done" in lost.value.message


def test_a_stream_is_read_as_it_arrives_and_one_that_is_cut_is_not_whole() -> None:
    with registry([LIST, LIST[:-4]]) as (url, _), PlainClient(url) as client:
        assert list(client.clusters.query({})) == [{"id": "a"}, {"id": "b"}]
        with pytest.raises(RegistryUnreachable):
            list(client.clusters.query({}))


def test_a_server_that_is_away_is_reported_in_the_words_of_the_client() -> None:
    with PlainClient("http://127.0.0.1:9") as client, pytest.raises(RegistryUnreachable, match="nothing was sent"):
        client.clusters.read("west")


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://localhost:3000", True),
        ("http://[::1]:3000/base", True),
        ("https://registry", False),
        ("http://name:secret@registry", False),
        ("http://registry:0", False),
        ("http://registry:99999", False),
        ("http://régistre", False),
        ("http://", False),
        ("registry", False),
        ("http://registry?x=1", False),
    ],
)
def test_only_ordinary_addresses_are_plain(url: str, plain: bool) -> None:
    assert is_plain(url) is plain


def test_a_proxy_is_left_to_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:8080")
    assert not is_plain("http://registry")


def test_importing_the_client_imports_no_event_loop_and_no_http_library() -> None:
    code = "import rollbook.client.plain, sys; print({'asyncio', 'httpx2', 'typer'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
