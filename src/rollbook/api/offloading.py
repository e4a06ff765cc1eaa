"""Where bodies are parsed: on the event loop what is certain to be quick, everything else on a thread.

One rule: what a body holds decides, not its size alone. Large bodies have a thread of their own, so that they wait for
each other and for nobody else.
"""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rollbook.errors import RegistryError
from rollbook.registry.computing import frameless
from rollbook.turns import computing

Result = TypeVar("Result")

QUICK_BYTES_MAX = 16 * 1024
QUICK_BYTES_WITH_PATTERNS_MAX = 4 * 1024
LARGE_BYTES = 256 * 1024

COSTLY_IN_PATTERNS = re.compile(rb"\{\d|\\\\[pP]|\(\*|\\u")
"""Parts of regular expressions that can make them costly to compile: repetitions, Unicode classes, verbs. And any
character written as ``\\u``, which could be one of these."""

_SMALL = ThreadPoolExecutor(2, thread_name_prefix="rollbook-parser")
_LARGE = ThreadPoolExecutor(1, thread_name_prefix="rollbook-large-parser")


def is_quick_to_parse(body: bytes) -> bool:
    """Whether parsing takes a few milliseconds at most, whatever JSON the body is and whatever it means."""
    if len(body) > QUICK_BYTES_MAX:  # to look through megabytes would take long itself
        return False
    if b"egex" in body or b"attern" in body or b"LIKE" in body or b'"where"' in body or b"\\u" in body:
        return len(body) <= QUICK_BYTES_WITH_PATTERNS_MAX and COSTLY_IN_PATTERNS.search(body) is None
    return True


async def off_the_loop(job: Callable[[], Result], *, size_bytes: int) -> Result:
    """What ``job`` returns, which reads a body of this size, from a thread."""
    threads = _LARGE if size_bytes >= LARGE_BYTES else _SMALL
    return await asyncio.get_running_loop().run_in_executor(threads, _in_turn, job)


def _in_turn(job: Callable[[], Result]) -> Result:
    try:
        with computing():
            return job()
    except RegistryError as refusal:
        raise frameless(refusal) from None
