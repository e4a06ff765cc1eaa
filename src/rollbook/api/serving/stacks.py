"""What the process is doing, printed to standard error when it is sent SIGUSR1.

Theory: the interpreter itself prints the stacks of the threads, at once and even while the event loop is held up; the
tasks follow as soon as the loop turns.
"""

import asyncio
import faulthandler
import signal
import sys
from collections.abc import Iterator
from typing import Any

from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.api.serving.logs import escaped


def print_on_signal(traffic: RequestCounts) -> None:
    """From now on, print threads, tasks and running requests on SIGUSR1."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: print_tasks(traffic))
    faulthandler.register(signal.SIGUSR1, all_threads=True, chain=True)


def print_tasks(traffic: RequestCounts) -> None:
    """Print where every task waits, and which requests are running."""
    tasks = sorted(asyncio.all_tasks(), key=lambda task: task.get_name())
    lines = [f"{len(tasks)} tasks:"]
    for task in tasks:
        lines += [f"  {task.get_name()}", *(f"    {place}" for place in places_of(task.get_coro()))]
    running = sorted(traffic.running, key=lambda each: each.begun)
    lines.append(f"{len(running)} requests:")
    for each in running:
        facts = each.as_json()
        lines.append("  {method} {path} {caller} {milliseconds:.0f} ms".format(**facts))
    print("\n".join(map(escaped, lines)), file=sys.stderr, flush=True)


def places_of(coroutine: Any) -> Iterator[str]:
    """Where a suspended coroutine stands, and where each one stands that it waits for."""
    while coroutine is not None:
        frame = next(filter(None, (getattr(coroutine, f"{kind}_frame", None) for kind in KINDS)), None)
        if frame is not None:
            yield f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})"
        coroutine = next(filter(None, (getattr(coroutine, name, None) for name in AWAITED)), None)


KINDS = ("cr", "gi", "ag")
AWAITED = ("cr_await", "gi_yieldfrom", "ag_await")
"""What coroutines, generators and asynchronous generators call their frames and what they wait for."""
