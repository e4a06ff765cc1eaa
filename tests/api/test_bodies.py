"""Bodies as they come: in pieces, late, too little, too much, or never. Nothing of one is ever another request."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from rollbook.api.serving.deadlines import Patience
from rollbook.limits import DEFAULT_LIMITS
from rollbook.settings import Settings
from tests.api.edges import served
from tests.api.test_wire import exchange, head
from tests.registry.writing import create
from tests.serving import ServerProcess

JSON = "Content-Type: application/json"
NOWHERE = b'{"regionId":"nowhere"}'
LAST = head("GET", "/clusters/none", "Connection: close")
H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")
WEBSOCKET = ("Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")


def statuses(answer: bytes) -> list[int]:
    """The statuses of all answers."""
    return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", answer)]


@pytest.mark.parametrize("offer", [H2C, WEBSOCKET, ("Connection: upgrade", "Upgrade: anything/1, other")], ids=str)
@pytest.mark.parametrize("cut", [None, 0, 1, 10])
@pytest.mark.parametrize("chunked", [False, True])
async def test_an_offer_of_another_protocol_is_ignored_and_the_body_is_read(
    tmp_path: Path, offer: tuple[str, ...], cut: int | None, chunked: bool
) -> None:
    async with served(tmp_path / "data") as server:
        await create(server.registry, "west")
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(NOWHERE)}"
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(NOWHERE), NOWHERE) if chunked else NOWHERE
        headers = head("POST", "/clusters/count", JSON, framing, *offer)
        behind = head("GET", "/clusters/west", *offer) + LAST
        whole = headers + body + behind
        parts = [whole] if cut is None else [whole[: len(headers) + cut], whole[len(headers) + cut :]]

        answer = await server.exchange(*parts)

        assert statuses(answer) == [200, 200, 404]
        assert b'{"count":0}' in answer


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("headers", [(JSON,), (JSON, *H2C), (JSON, "Expect: 100-continue")], ids=str)
async def test_a_body_that_looks_like_a_request_is_none(tmp_path: Path, method: str, headers: tuple[str, ...]) -> None:
    async with served(tmp_path / "data") as server:
        await create(server.registry, "west")
        body = head("DELETE", "/clusters/west")
        request = head(method, "/clusters/other", *headers, f"Content-Length: {len(body)}")
        await server.exchange(request, body, LAST)
        assert "west" in {entry.id for entry in server.registry.view.entries()}


@pytest.mark.parametrize("sent", [b"", b"{}"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/clusters/query"),
        ("POST", "/clusters/count"),
        ("POST", "/clusters/watch?wait=1"),
        ("POST", "/clusters/west/heartbeat"),
        ("PUT", "/clusters/west"),
        ("DELETE", "/clusters/west"),
        ("GET", "/clusters/west"),
        ("GET", "/healthz"),
        ("POST", "/api/filter"),
    ],
)
@pytest.mark.parametrize("framing", ["Content-Length: 20", "Transfer-Encoding: chunked"])
async def test_a_body_that_is_announced_and_not_whole_is_refused(
    tmp_path: Path, method: str, path: str, sent: bytes, framing: str
) -> None:
    async with served(tmp_path / "data") as server:
        await create(server.registry, "west")
        revision = server.registry.view.revision
        body = b"2\r\n{}\r\n" if sent and "chunked" in framing else sent
        reader, writer = await server.connect()
        writer.write(head(method, path, JSON, framing) + body)
        writer.write_eof()

        answer = await asyncio.wait_for(reader.read(), 5)

        writer.close()
        assert statuses(answer) == [400]
        assert "the body ends after" in json.loads(answer.partition(b"\r\n\r\n")[2])["detail"]
        assert server.registry.view.revision == revision


@pytest.mark.parametrize("framing", [(), ("Content-Length: 0",), ("Transfer-Encoding: chunked",)], ids=str)
async def test_a_type_alone_and_an_empty_body_are_an_empty_body(tmp_path: Path, framing: tuple[str, ...]) -> None:
    async with served(tmp_path / "data") as server:
        await create(server.registry, "west")
        body = b"0\r\n\r\n" if framing and "chunked" in framing[0] else b""
        for path in ("/clusters/count", "/clusters/west/heartbeat"):
            answer = await server.exchange(head("POST", path, JSON, *framing) + body + LAST)
            assert statuses(answer) == [200, 404]


ODD_FRAMES = [
    ("Content-Length: 5", "Content-Length: 5"),
    ("Content-Length: 5", "Content-Length: 6"),
    ("Content-Length: 5, 5",),
    ("Content-Length: +5",),
    ("Content-Length: 0x5",),
    ("Content-Length:",),
    ("Content-Length: 99999999999999999999999",),
    ("Content-Length: 5", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: chunked", "Content-Length: 5"),
    ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: gzip, chunked",),
    ("Transfer-Encoding: chunked, identity",),
    ("Transfer-Encoding: xchunked",),
    ("Transfer-Encoding: identity",),
    ("Transfer-Encoding: ",),
    ("Transfer-Encoding : chunked",),
    ("Content-Length : 5",),
    ("X: a", " Content-Length: 5"),
    ("X: a\nContent-Length: 5",),
    ("X: a\rContent-Length: 5",),
    ("X: \x00", "Content-Length: 5"),
    ("Content-Type: application/json", "Content-Type: text/plain"),
    (*H2C, "Content-Length: 5", "Transfer-Encoding: chunked"),
    (*H2C, "Transfer-Encoding: gzip, chunked"),
]


@pytest.mark.parametrize("headers", ODD_FRAMES, ids=str)
def test_a_body_that_could_be_read_in_two_ways_is_refused(server: ServerProcess, headers: tuple[str, ...]) -> None:
    answer = exchange(server, head("POST", "/clusters/query", *headers) + b"0\r\n\r\n" + head("GET", "/healthz"))
    assert statuses(answer) == [400]
    assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /clusters/query HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_what_is_no_request_of_http_1_is_refused(server: ServerProcess, request_: bytes) -> None:
    assert statuses(exchange(server, request_)) == [400]


def test_a_trailer_is_no_header(server: ServerProcess) -> None:
    body = b"1\r\n{\r\n1\r\n}\r\n0\r\nAccept: application/x-ndjson\r\nHost: evil.example\r\n\r\n"
    answer = exchange(server, head("POST", "/clusters/query", JSON, "Transfer-Encoding: chunked") + body + LAST)
    assert statuses(answer) == [200, 404]
    assert b"ndjson" not in answer


@pytest.mark.parametrize("shortcuts", [True, False])
@pytest.mark.parametrize("framing", ["length", "chunks", "upgrade"])
async def test_the_limit_of_bodies_is_the_limit_on_every_way(tmp_path: Path, shortcuts: bool, framing: str) -> None:
    settings = Settings(limits=replace(DEFAULT_LIMITS, body_bytes_max=1024))
    async with served(tmp_path / "data", settings=settings, takes_shortcuts=shortcuts) as server:
        await create(server.registry, "west")
        for method, path in (
            ("PUT", "/clusters/west"),
            ("POST", "/clusters/query"),
            ("POST", "/clusters/west/heartbeat"),
            ("DELETE", "/clusters/west"),
            ("GET", "/clusters/west"),
        ):
            for size, expected in ((1024, (200, 400)), (1025, (413,))):
                body = b'{"$set":{"reputation":1}}'.ljust(size)
                if framing == "chunks":
                    headers = head(method, path, JSON, "Transfer-Encoding: chunked", "Connection: close")
                    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
                else:
                    offer = H2C if framing == "upgrade" else ()
                    headers = head(method, path, JSON, f"Content-Length: {size}", *offer, "Connection: close")
                answer = await server.exchange(headers + body)
                assert statuses(answer)[0] in expected
            await create(server.registry, "west") if method == "DELETE" else None


async def test_a_body_may_come_slowly(tmp_path: Path) -> None:
    async with served(tmp_path / "data", patience=Patience(idle_seconds=1, pause_seconds=1)) as server:
        request = head("POST", "/clusters/count", JSON, "Content-Length: 10", "Connection: close") + b"{" + b" " * 8
        reader, writer = await server.connect()
        writer.write(request)
        await asyncio.sleep(0.6)
        writer.write(b"}")
        assert statuses(await asyncio.wait_for(reader.read(), 5)) == [200]
        writer.close()


async def test_a_body_that_stops_coming_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path / "data", patience=Patience(idle_seconds=1, pause_seconds=1)) as server:
        answer = await server.exchange(head("POST", "/clusters/count", JSON, "Content-Length: 10") + b"{")
        assert statuses(answer) == [408]
        assert b'"code":"body-incomplete"' in answer


@pytest.mark.parametrize(
    "drip", [head("POST", "/clusters/count", JSON, "Content-Length: 900"), b"GET / HTTP/1.1\r\nX: "]
)
async def test_a_request_that_drips_is_refused(tmp_path: Path, drip: bytes) -> None:
    patience = Patience(idle_seconds=1, head_seconds=2, pause_seconds=2)
    async with served(tmp_path / "data", patience=patience) as server:
        reader, writer = await server.connect()
        writer.write(drip)
        for _ in range(40):
            writer.write(b" ")
            await asyncio.sleep(0.1)
            if reader.at_eof():
                break
        assert statuses(await asyncio.wait_for(reader.read(), 5)) == [408]
        writer.close()
