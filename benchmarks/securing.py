"""Measures what it costs to know who asks, and writes benchmarks/results/security.md.

A server on one core, and this process on the other. The same requests are sent without a token to an open registry, and
with tokens to a closed one, in turns; what counts is the CPU time of the server. Then the closed one is flooded, with
wrong tokens and with writes of one caller, while others ask at their pace. At last 10,000 tokens are read at a start,
and one more is made and revoked.

    python -m benchmarks.securing [REQUESTS]
"""

import asyncio
import gc
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import orjson
import uvloop

from benchmarks.connections import Connection, enrol, keep_pace, request
from benchmarks.generating import clusters
from benchmarks.machine import description_with_load
from benchmarks.servers import Server, served
from benchmarks.tables import head_of, row_of
from rollbook.journal.opening import open_token_store
from rollbook.journal.sqlite.token_schema import FILE_NAME
from rollbook.security.tokens import Token, digest_of, new_token, new_token_id
from rollbook.security.tokens import row_of as row_of_token

RESULTS = Path(__file__).parent / "results" / "security.md"
FLEET, ROUNDS, CONNECTIONS = 2_000, 5, 8
TOKENS, STARTS = 10_000, 3
FLOOD_SECONDS, PROBES_PER_SECOND, WRONG_PER_SECOND = 8.0, 100, 1_000
ADMIN = "admin-" + "x" * 40
WRONG = "rbk_abcdefghij_" + "x" * 49


@dataclass(frozen=True, slots=True)
class Measured:
    """CPU microseconds of the server for a request, by what was asked and how; and latencies beside floods."""

    costs: Mapping[str, Sequence[float]]
    latencies: Mapping[str, Sequence[float]]
    starts: Sequence[tuple["Start", "Start"]]
    """Without tokens and with many, in turns."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a start takes, and then the making and revoking of a token."""

    cpu_seconds: float
    memory_bytes: int
    change_seconds: float


def with_token(asked: bytes, token: str | None) -> bytes:
    """A request with a bearer token."""
    header = b"" if token is None else f"authorization: Bearer {token}\r\n".encode()
    return asked.replace(b"host: localhost\r\n", b"host: localhost\r\n" + header, 1)


async def cost_us(server: Server, requests: Sequence[bytes], count: int, *, status: bytes = b" 200 ") -> float:
    """CPU microseconds of the server for each of ``count`` requests, on a few connections."""
    connections = [Connection(server.port) for _ in range(CONNECTIONS)]
    left = iter(range(count))

    async def ask(connection: Connection) -> None:
        for number in left:
            answer = await connection.ask(requests[number % len(requests)])
            assert status in answer[:16] or b" 429 " in answer[:16], answer[:300]

    before = computed_seconds(server)
    await asyncio.gather(*map(ask, connections))
    return (computed_seconds(server) - before) / count * 1e6


def computed_seconds(server: Server) -> float:
    """The CPU time of the threads of a server, to the nanosecond; the ticks of ``cpu_seconds`` are too coarse."""
    files = (file for pid in server.processes.pids() for file in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9


async def tokens_of(server: Server) -> dict[str, str]:
    """A token of each role that is measured."""
    connection, tokens = Connection(server.port), {"admin": ADMIN}
    for role, more in (("operator", {}), ("reader", {}), ("owner", {"owner": "ml-platform"})):
        body = orjson.dumps({"name": role, "roles": [role], **more})
        answer = await connection.ask(with_token(request("POST", "/tokens", body), ADMIN))
        tokens[role] = orjson.loads(answer.partition(b"\r\n\r\n")[2])["token"]
    return tokens


async def compare(opened: Server, closed: Server, count: int) -> dict[str, list[float]]:
    """The costs of requests, without and with tokens, in turns."""
    documents = list(clusters(FLEET))
    for server in (opened, closed):
        connections = [Connection(server.port) for _ in range(CONNECTIONS)]
        if server is closed:
            for connection in connections:
                connection.ask = lambda asked, ask=connection.ask: ask(with_token(asked, ADMIN))  # type: ignore[method-assign]
        await enrol(connections, documents)
    tokens = await tokens_of(closed)
    gets = [request("GET", f"/clusters/{document['id']}") for document in documents[:500]]
    query = [request("POST", "/clusters/query", orjson.dumps({"query": {"status": "live"}, "limit": 50}))]
    costs: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for what, asked, number in (("GET", gets, count), ("query of 50", query, count // 20)):
            costs.setdefault(f"{what}, open", []).append(await cost_us(opened, asked, number))
            for role in ("operator", "reader", "owner"):
                sent = [with_token(each, tokens[role]) for each in asked]
                costs.setdefault(f"{what}, {role}", []).append(await cost_us(closed, sent, number))
        wrong = [with_token(each, WRONG) for each in gets]
        costs.setdefault("GET, one wrong token", []).append(await cost_us(closed, wrong, count, status=b" 401 "))
        guesses = [with_token(gets[number % len(gets)], new_token("abcdefghij")) for number in range(5_000)]
        costs.setdefault("GET, guessed tokens", []).append(await cost_us(closed, guesses, count, status=b" 401 "))
    return costs


async def flooded(server: Server) -> dict[str, list[float]]:
    """What others wait, alone and beside floods: reads and heartbeats."""
    token, ids = await prober_token(server), [document["id"] for document in clusters(FLEET)]
    get, beat = (
        with_token(request(*each), token)
        for each in (("GET", f"/clusters/{ids[0]}"), ("POST", f"/clusters/{ids[1]}/heartbeat"))
    )
    latencies: dict[str, list[float]] = {}

    async def probe(name: str) -> None:
        for what in ("read", "heartbeat"):
            latencies.setdefault(f"{what}, {name}", [])

        async def ask(connection: Connection, number: int, due: float) -> None:
            what, asked = ("read", get) if number % 2 else ("heartbeat", beat)
            answer = await connection.ask(asked)
            assert b" 200 " in answer[:16], answer[:200]
            latencies[f"{what}, {name}"].append(time.perf_counter() - due)

        probers = [Connection(server.port) for _ in range(4)]
        await keep_pace(probers, ask, per_second=PROBES_PER_SECOND, seconds=FLOOD_SECONDS)

    await probe("alone")
    wrong = with_token(request("GET", f"/clusters/{ids[2]}"), WRONG)

    async def send_wrong(connection: Connection, number: int, due: float) -> None:
        await connection.ask(wrong)

    flooders = [Connection(server.port) for _ in range(16)]
    flood = keep_pace(flooders, send_wrong, per_second=WRONG_PER_SECOND, seconds=FLOOD_SECONDS)
    await asyncio.gather(probe("beside 1,000 wrong tokens a second"), flood)
    until = time.perf_counter() + FLOOD_SECONDS

    async def write(connection: Connection) -> None:
        number = 0
        while time.perf_counter() < until:
            number += 1
            body = orjson.dumps({"$set": {"tags": [f"{number}"]}})
            await connection.ask(with_token(request("PUT", f"/clusters/{ids[number % FLEET]}", body), ADMIN))

    await asyncio.gather(probe("beside one caller that writes at full speed"), *map(write, flooders))
    return latencies


async def prober_token(server: Server) -> str:
    """A token with the role of an operator."""
    body = orjson.dumps({"name": f"probe-{new_token_id()}", "roles": ["operator"]})
    answer = await Connection(server.port).ask(with_token(request("POST", "/tokens", body), ADMIN))
    return str(orjson.loads(answer.partition(b"\r\n\r\n")[2])["token"])


def write_tokens(data: Path, tokens: int) -> None:
    """Put this number of tokens into a data directory, at once."""
    data.mkdir()
    open_token_store(data).close()
    ids = [new_token_id() for _ in range(tokens)]
    rows = [
        row_of_token(Token(id, f"t-{number}", ("reader",), digest_of(new_token(id)), number))
        for number, id in enumerate(ids)
    ]
    with closing(sqlite3.connect(data / FILE_NAME)) as connection, connection:
        connection.executemany("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


async def change_seconds(server: Server) -> float:
    """How long it takes to make a token, and to revoke it: the median of some."""
    connection, times = Connection(server.port), []
    for _ in range(20):
        began = time.perf_counter()
        body = orjson.dumps({"name": f"t-{new_token_id()}", "roles": ["reader"]})
        made = await connection.ask(with_token(request("POST", "/tokens", body), ADMIN))
        id = orjson.loads(made.partition(b"\r\n\r\n")[2])["id"]
        await connection.ask(with_token(request("DELETE", f"/tokens/{id}"), ADMIN))
        times.append((time.perf_counter() - began) / 2)
    return median(times)


def start_with(tokens: int) -> Start:
    """What a start with this number of tokens takes."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "admin").write_text(ADMIN)
        data = Path(folder) / "data"
        write_tokens(data, tokens)
        with served(ROLLBOOK_DATA=str(data), ROLLBOOK_ADMIN_TOKEN_FILE=f"{folder}/admin") as server:
            cpu, memory = computed_seconds(server), server.processes.memory_bytes()
            return Start(cpu, memory, uvloop.run(change_seconds(server)))


def report(measured: Measured, machine: str) -> Iterator[str]:
    """The lines of the page."""
    yield "# Security, measured\n"
    yield f"CPU of the server for a request, the median of {ROUNDS} rounds in turns; {FLEET:,} clusters, one core.\n"
    yield "| request | microseconds | more than open |\n|---|---:|---:|"
    for what, costs in measured.costs.items():
        of_open = median(measured.costs[f"{what.partition(',')[0]}, open"])
        yield f"| {what} | {median(costs):.2f} | {median(costs) - of_open:+.2f} |"
    yield f"\nMilliseconds until others have their answer, {PROBES_PER_SECOND} requests a second:\n"
    yield head_of("request")
    for what, latencies in measured.latencies.items():
        yield row_of(what, latencies=latencies)
    none, many = zip(*measured.starts, strict=True)
    cpu, memory, change = (
        [median(getattr(start, name) for start in starts) for starts in (none, many)]
        for name in ("cpu_seconds", "memory_bytes", "change_seconds")
    )
    yield f"\nA start takes {cpu[1]:.2f} s of CPU with {TOKENS:,} tokens, and {cpu[0]:.2f} s without; the tokens take"
    yield f"{(memory[1] - memory[0]) / 2**20:.1f} MiB. One more is made or revoked in {change[1] * 1e3:.1f} ms beside"
    yield f"them, and in {change[0] * 1e3:.1f} ms without.\n"
    yield f"Written by `make bench-security` on: {machine}."


def main(count: int = 20_000) -> None:
    machine = description_with_load()
    gc.disable()  # its pauses would count as the server's
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "admin").write_text(ADMIN)
        with served() as opened, served(ROLLBOOK_ADMIN_TOKEN_FILE=f"{folder}/admin") as closed:
            costs = uvloop.run(compare(opened, closed, count))
            latencies = uvloop.run(flooded(closed))
    starts = [(start_with(0), start_with(TOKENS)) for _ in range(STARTS)]
    RESULTS.write_text("\n".join(report(Measured(costs, latencies, starts), machine)) + "\n")
    print(RESULTS.read_text())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
