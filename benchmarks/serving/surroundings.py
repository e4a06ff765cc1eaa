"""The machine, as far as the figures depend on it: what it is, and how often its disk can make something durable.

One rule: nothing tells one machine from another of its kind: no names, no paths.
"""

import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.machine import description
from benchmarks.serving.processes import SERVER_CORE

SYNC_SECONDS = 2.0
SYNCED_BYTES = 4096
SYNCED_FILE_BYTES = 64 * 1024 * 1024


def machine() -> Mapping[str, str]:
    """What it is made of, in words."""
    facts = Path("/proc/meminfo").read_text().split()
    memory_gib = int(facts[facts.index("MemTotal:") + 1]) / 1024**2
    return {
        "processor": description(),
        "memory": f"{memory_gib:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
    }


def syncs_per_second(folder: Path) -> float:
    """How often 4 KB can be written to a file and made durable (fdatasync), one after the other."""
    file = folder / "synced"
    file.write_bytes(bytes(SYNCED_FILE_BYTES))
    descriptor = os.open(file, os.O_WRONLY)
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        os.fsync(descriptor)
        block, count, began = os.urandom(SYNCED_BYTES), 0, time.perf_counter()
        while time.perf_counter() - began < SYNC_SECONDS:
            os.pwrite(descriptor, block, count * SYNCED_BYTES % SYNCED_FILE_BYTES)
            os.fdatasync(descriptor)
            count += 1
        return count / (time.perf_counter() - began)
    finally:
        os.sched_setaffinity(0, usual)
        os.close(descriptor)
        file.unlink()
