"""The machine that a benchmark ran on, as far as the numbers depend on it. One rule: nothing tells one from another."""

import os
import platform
import re
from pathlib import Path

CPU_FACTS = Path("/proc/cpuinfo")


def description() -> str:
    """The processor, how many of its cores may be used, and Python's version."""
    return f"{_processor()}, {_cores()} cores, {platform.python_implementation()} {platform.python_version()}"


def description_with_load() -> str:
    """The same, and how busy the machine is before a measurement that takes both of its cores."""
    return f"{description()}; its load average was {os.getloadavg()[0]:.1f} before"


def _processor() -> str:
    facts = CPU_FACTS.read_text() if CPU_FACTS.exists() else ""
    model = re.search(r"^model name\s*: (.+)$", facts, re.MULTILINE)
    return model[1] if model else platform.machine()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
