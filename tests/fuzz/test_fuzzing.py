"""No request, however mangled, is answered with a fault, dropped without an answer, or left without one.

ROLLBOOK_FUZZ_REQUESTS says how many are sent (``make fuzz``: 100,000), ROLLBOOK_FUZZ_SEED which ones.
"""

import json
import os
import socket
import time
from collections import Counter
from pathlib import Path
from typing import BinaryIO, cast

from tests.examples import cluster
from tests.fuzz.mutating import Fuzzer
from tests.serving import ServerProcess

REQUESTS = int(os.environ.get("ROLLBOOK_FUZZ_REQUESTS", "5000"))
SEED = int(os.environ.get("ROLLBOOK_FUZZ_SEED", "1"))
ANSWER_SECONDS_MAX = 15.0
SECONDS_MAX = 40.0 if REQUESTS <= 5000 else float("inf")
DOCUMENTED = (503, 507)


class Wire:
    """A connection, opened again after the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def answer_to(self, request: bytes) -> tuple[int, bytes]:
        """The status and the body."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=ANSWER_SECONDS_MAX)
        self._socket.sendall(request)
        with cast(BinaryIO, self._socket.makefile("rb")) as reader:
            status, headers = self._head(reader)
            while status == 100:
                status, headers = self._head(reader)
            body = b"" if request.startswith(b"HEAD ") or status in (204, 304) else self._body(reader, headers)
        if headers.get(b"connection") == b"close" or b"Connection: close" in request:
            self.close()
        return status, body

    def close(self) -> None:
        """Close it; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _head(self, reader: BinaryIO) -> tuple[int, dict[bytes, bytes]]:
        line = reader.readline()
        assert line.startswith(b"HTTP/1.1 "), f"the connection ended without an answer: {line!r}"
        headers = {}
        while (header := reader.readline().strip()) != b"":
            name, _, value = header.partition(b": ")
            headers[name.lower()] = value
        return int(line.split()[1]), headers

    def _body(self, reader: BinaryIO, headers: dict[bytes, bytes]) -> bytes:
        if b"content-length" in headers:
            return reader.read(int(headers[b"content-length"]))
        assert headers.get(b"transfer-encoding") == b"chunked", headers
        body = b""
        while size := int(reader.readline(), 16):
            body += reader.read(size + 2)[:-2]
        reader.readline()
        return body


def test_every_request_is_answered_and_none_with_a_fault(tmp_path: Path) -> None:
    fuzzer, statuses, findings = Fuzzer(SEED), Counter[int](), list[str]()
    with ServerProcess(tmp_path / "data", environment={"ROLLBOOK_SCHEMA": "lenient"}) as server:
        wire, began = Wire(server.port), time.monotonic()
        for id in ("west", "east"):
            assert wire.answer_to(creation(id))[0] == 201
        for number in range(REQUESTS):
            request = fuzzer.request()
            try:
                status, body = wire.answer_to(request)
                statuses[status] += 1
                if status >= 500 and status not in DOCUMENTED:
                    findings.append(f"{number}: {status} {body[:300]!r} to {request[:1500]!r}")
            except (OSError, AssertionError, ValueError) as error:
                findings.append(f"{number}: {error!r} to {request[:1500]!r}")
                wire.close()
            if len(findings) >= 20 or time.monotonic() - began > SECONDS_MAX:
                break
        wire.close()
        assert wire.answer_to(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == 200
        wire.close()
        assert server.stop() == 0
    print(dict(sorted(statuses.items())), f"in {time.monotonic() - began:.0f} s")
    assert not findings, "\n".join(findings)
    assert statuses[200] > sum(statuses.values()) / 20, "most requests don't get past the parser"


def creation(id: str) -> bytes:
    """The request that creates a cluster."""
    body = json.dumps(cluster(id)).encode()
    head = (
        f"POST /clusters HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    )
    return head.encode() + b"\r\n\r\n" + body
