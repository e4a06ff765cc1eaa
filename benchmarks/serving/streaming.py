"""A big reply against the bandwidth of the loopback, and what others wait for meanwhile.

Theory: the reader of the big reply is a thread that only receives, so it takes next to nothing of the load's core. The
others are one client that reads a cluster every few milliseconds, whatever the answers take: what is late counts.
"""

import os
import socket
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from statistics import median, quantiles

import orjson

from benchmarks.serving.contestants import Contestant, free_port
from benchmarks.serving.materials import Materials
from benchmarks.serving.processes import SERVER_CORE

BIG_BYTES = 100 * 1024 * 1024
PIECE_BYTES = 256 * 1024
OTHERS_EVERY_SECONDS = 0.003
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Streaming:
    """A big reply: its size, its rate and the loopback's, and the other requests' 99th percentile meanwhile."""

    bytes: int
    bytes_per_second: float
    loopback_bytes_per_second: float
    others_p99_ms: float
    others_alone_p99_ms: float


def measure_streaming(contestant: Contestant, materials: Materials) -> Streaming:
    """Ask for about 100 MB, or for everything when there is less."""
    average_bytes = materials.file.stat().st_size / materials.count
    body = orjson.dumps({"query": {}, "limit": min(materials.count, int(BIG_BYTES / average_bytes))})
    alone = _others(contestant, materials, threading.Event(), seconds=2.0)
    rates, meanwhile, size = [], [], 0
    for _ in range(ROUNDS):
        over = threading.Event()
        waits: list[float] = []
        others = threading.Thread(target=lambda: waits.extend(_others(contestant, materials, over, seconds=60.0)))  # noqa: B023
        others.start()
        time.sleep(0.1)
        size, seconds = _download(contestant.port, body)
        over.set()
        others.join()
        rates.append(size / seconds)
        meanwhile += waits
    return Streaming(size, median(rates), _loopback_bytes_per_second(), _p99(meanwhile), _p99(alone))


def _download(port: int, body: bytes) -> tuple[int, float]:
    """The size of an answer, and the seconds until its last byte."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    began = time.perf_counter()
    connection.request("POST", "/clusters/query", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"status {answer.status} to a big query")
    buffer, size = bytearray(PIECE_BYTES), 0
    while count := answer.readinto(buffer):
        size += count
    return size, time.perf_counter() - began


def _others(contestant: Contestant, materials: Materials, over: threading.Event, *, seconds: float) -> list[float]:
    """The milliseconds after it was due at which each of a row of reads was answered."""
    connection = HTTPConnection("127.0.0.1", contestant.port, timeout=60)
    due = time.perf_counter()
    end = due + seconds
    waits: list[float] = []
    while not over.is_set() and due < end:
        time.sleep(max(0.0, due - time.perf_counter()))
        connection.request("GET", f"/clusters/{materials.ids[len(waits) % materials.count]}")
        connection.getresponse().read()
        waits.append((time.perf_counter() - due) * 1000)
        due += OTHERS_EVERY_SECONDS
    return waits


def _loopback_bytes_per_second() -> float:
    """What one process can send to another over TCP, each on its core."""
    rates = []
    for _ in range(ROUNDS):
        port = free_port()
        with socket.create_server(("127.0.0.1", port)) as listening:
            sender = threading.Thread(target=_send_on_server_core, args=(listening,))
            sender.start()
            with socket.create_connection(("127.0.0.1", port)) as connection:
                buffer, began = bytearray(PIECE_BYTES), time.perf_counter()
                while connection.recv_into(buffer):
                    pass
                rates.append(BIG_BYTES / (time.perf_counter() - began))
            sender.join()
    return median(rates)


def _send_on_server_core(listening: socket.socket) -> None:
    os.sched_setaffinity(threading.get_native_id(), {SERVER_CORE})
    connection, _ = listening.accept()
    with connection:
        piece = bytes(PIECE_BYTES)
        for _ in range(BIG_BYTES // PIECE_BYTES):
            connection.sendall(piece)


def _p99(waits: list[float]) -> float:
    return quantiles(waits, n=100)[98]
