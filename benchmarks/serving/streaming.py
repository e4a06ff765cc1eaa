"""A big reply against the bandwidth of the loopback, and what others wait for meanwhile.

Theory: the reader of the big reply only receives. The others are one client, in a process of its own, for a thread
would wait for the reader: it reads a cluster every few milliseconds, whatever the answers take, and what is late
counts. The first big reply is not counted: it may find its memory cold.
"""

import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from statistics import median, quantiles
from typing import Any

import orjson

from benchmarks.serving.contestants import Contestant, free_port
from benchmarks.serving.materials import Materials
from benchmarks.serving.processes import SERVER_CORE

BIG_BYTES = 100 * 1024 * 1024
PIECE_BYTES = 256 * 1024
OTHERS_EVERY_SECONDS = 0.003
ROUNDS = 15
PROCESSES = multiprocessing.get_context("fork")


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
    alone = _others(contestant.port, materials.ids, PROCESSES.Event(), seconds=2.0)
    _download(contestant.port, body)
    rates, meanwhile, size = [], [], 0
    for _ in range(ROUNDS):
        over, waits = PROCESSES.Event(), PROCESSES.SimpleQueue()
        others = PROCESSES.Process(target=_tell_others, args=(contestant.port, materials.ids, over, waits))
        others.start()
        time.sleep(0.3)
        size, seconds = _download(contestant.port, body)
        over.set()
        rates.append(size / seconds)
        meanwhile += waits.get()[-round(seconds / OTHERS_EVERY_SECONDS) :]
        others.join()
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


def _tell_others(port: int, ids: Sequence[str], over: Any, waits: Any) -> None:
    waits.put(_others(port, ids, over, seconds=60.0))


def _others(port: int, ids: Sequence[str], over: Any, *, seconds: float) -> list[float]:
    """The milliseconds after it was due at which each of a row of reads was answered."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    due = time.perf_counter()
    end = due + seconds
    waits: list[float] = []
    while not over.is_set() and due < end:
        time.sleep(max(0.0, due - time.perf_counter()))
        connection.request("GET", f"/clusters/{ids[len(waits) % len(ids)]}")
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
