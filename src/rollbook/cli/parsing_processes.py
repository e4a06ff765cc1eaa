"""Lines of a large file, read and judged by processes of their own: an import then uses more cores than one.

One rule: nothing depends on these processes. Whatever one of them does not accept, and all that one leaves behind that
is gone, is read and judged here.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

from rollbook.cli.parsing_process import JUDGED, Judged, Judging, read_frame, write_frame

SIZE_BYTES_MIN = 16 * 1024 * 1024
"""Smaller files are read before such processes have started."""
PROCESSES_MAX = 8
PROGRAM = "import sys; sys.path[:] = {path!r}; from rollbook.cli.parsing_process import main; main()"


def processes_for(size_bytes: int | None) -> int:
    """How many processes read a file of this size; 0: none but this one. None: nobody knows its size."""
    cores = len(os.sched_getaffinity(0))
    return 0 if cores < 2 or size_bytes is None or size_bytes < SIZE_BYTES_MIN else min(cores, PROCESSES_MAX)


class ParsingProcess:
    """One of them, with the thread on which it is asked."""

    def __init__(self, how: Judging) -> None:
        program = PROGRAM.format(path=sys.path)
        command = [sys.executable, "-c", program]
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
        self.pid = self._process.pid
        self._how: Judging | None = how
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="rollbook-judging")

    def judge(self, lines: Sequence[bytes]) -> Sequence[Judged | None]:
        """What each line asks to create; None where that is to be looked at here."""
        come, go = self._process.stdout, self._process.stdin
        assert come is not None, "it is a pipe"
        assert go is not None, "it is a pipe"
        try:
            if self._how is not None:
                write_frame(go, self._how)
                self._how = None
            write_frame(go, lines)
            return JUDGED.decode(read_frame(come))
        except (OSError, EOFError, ValueError):  # it is gone
            return [None] * len(lines)

    def close(self) -> None:
        """End it."""
        self.thread.shutdown()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()


class ParsingProcesses:
    """Some processes that read and judge lines, asked in turn."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.processes: list[ParsingProcess] = []
        self._next = 0

    def judge(self, lines: Sequence[bytes], how: Judging) -> "asyncio.Future[Sequence[Judged | None]]":
        """What each line asks to create; None where that is to be looked at here. ``how`` is the same each time."""
        if len(self.processes) < self.count:
            self.processes.append(ParsingProcess(how))
        process = self.processes[self._next % self.count]
        self._next += 1
        return asyncio.get_running_loop().run_in_executor(process.thread, process.judge, lines)

    def close(self) -> None:
        """End them all."""
        for process in self.processes:
            process.close()


@asynccontextmanager
async def parsing_processes(count: int) -> AsyncIterator[ParsingProcesses | None]:
    """As many processes, which start when they are asked, for the length of the block; None for none."""
    if not count:
        yield None
        return
    processes = ParsingProcesses(count)
    try:
        yield processes
    finally:
        await asyncio.to_thread(processes.close)
