"""The flood: a process of its own, which floods a server for a while and says when it has begun.

    python -m benchmarks.fairness.flooding PORT SECONDS NAME

One rule: it gives way to the prober. What the prober waits for is the server, and not the flood's own CPU time.
"""

import asyncio
import os
import sys

import uvloop

from benchmarks.fairness.floods import FLOODS
from benchmarks.servers import allow_many_connections

NICENESS = 10
UNDER_WAY = b"under way\n"


async def flood(port: int, seconds: float, name: str) -> None:
    """Flood the server; say when that is under way."""
    under_way = asyncio.Event()
    flooding = asyncio.create_task(FLOODS[name](port, seconds, under_way))
    await under_way.wait()
    sys.stdout.buffer.write(UNDER_WAY)
    sys.stdout.buffer.flush()
    await flooding


if __name__ == "__main__":
    os.nice(NICENESS)
    allow_many_connections()
    uvloop.run(flood(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]))
