"""The prober: a process of its own that reads, queries and writes at a steady pace, and reports how long each took.

    python -m benchmarks.fairness.probing PORT SECONDS

One rule: what is late counts from when it was due.
"""

import asyncio
import gc
import sys
import time
from collections import defaultdict
from itertools import count

import orjson
import uvloop

from benchmarks.connections import Connection, keep_pace, request

PER_SECOND = 50
KINDS = ("read", "query", "write", "heartbeat")
PROBED = "probed"
_numbers = count()


def asked(kind: str) -> bytes:
    """A small request, as most are."""
    match kind:
        case "read":
            return request("GET", f"/clusters/{PROBED}")
        case "query":
            return request("POST", "/clusters/query", orjson.dumps({"id": PROBED}))
        case "write":
            return request("PUT", f"/clusters/{PROBED}", orjson.dumps({"$set": {"probe": next(_numbers)}}))
        case _:
            return request("POST", f"/clusters/{PROBED}/heartbeat")


async def probe(port: int, seconds: float) -> dict[str, list[float]]:
    """The seconds that each request took, by kind."""
    taken: dict[str, list[float]] = defaultdict(list)

    async def act(connection: tuple[str, Connection], number: int, due: float) -> None:
        kind, wire = connection
        answer = await wire.ask(asked(kind))
        taken[kind if b" 200 " in answer[:20] else "refused"].append(time.perf_counter() - due)

    pairs = [[(kind, Connection(port))] for kind in KINDS]
    await asyncio.gather(*(keep_pace(pair, act, per_second=PER_SECOND, seconds=seconds) for pair in pairs))
    return taken


def main(port: int, seconds: float) -> None:
    gc.disable()
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(probe(port, seconds))))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
