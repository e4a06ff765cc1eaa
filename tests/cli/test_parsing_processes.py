"""Lines that are read and judged by processes of their own: what becomes of them is what becomes of them here."""

import os
import signal
from pathlib import Path

import orjson

from rollbook.cli.lines import Undecoded
from rollbook.cli.local import Directory, open_directory
from rollbook.cli.parsing_processes import SIZE_BYTES_MIN, ParsingProcesses, processes_for
from rollbook.settings import Settings
from tests.examples import cluster

LINES = [
    *[orjson.dumps(cluster(f"many-{number}")) for number in range(40)],
    b'{"id":',
    orjson.dumps({"id": "incomplete"}),
    orjson.dumps(cluster("many-7")),
    orjson.dumps(cluster("Warned", unknown_field=1)),
    b'{"id":"twice","id":"twice"}',
    b"[1]",
]


async def told(directory: Directory, *, lines: list[bytes] = LINES, replace: bool = False) -> list[str]:
    """What became of each line, two batches at once."""
    undecoded, half = [Undecoded(line) for line in lines], len(lines) // 2
    both = [directory.put(each, replace=replace) for each in (undecoded[:half], undecoded[half:])]
    return [repr(outcome) for outcomes in both async for outcome in outcomes]


async def test_they_do_what_one_process_does(tmp_path: Path) -> None:
    async with (
        open_directory(Settings(data=str(tmp_path / "one")), None) as one,
        open_directory(Settings(data=str(tmp_path / "two")), None, processes=2) as two,
    ):
        for replace in (False, True):
            assert await told(one, replace=replace) == await told(two, replace=replace)
        assert [each async for each in one.bodies()] == [each async for each in two.bodies()]


async def test_what_one_leaves_that_was_killed_is_done_here(tmp_path: Path) -> None:
    async with open_directory(Settings(data=str(tmp_path / "kept")), None, processes=2) as directory:
        more = [orjson.dumps(cluster(f"more-{number}")) for number in range(20)]
        await told(directory)
        assert directory.parsers is not None
        for pid in pids_of(directory.parsers):
            os.kill(pid, signal.SIGKILL)
        assert await told(directory, lines=more) == ["()"] * len(more)
        assert [orjson.loads(each)["id"] async for each in directory.bodies()][-20:] == [f"more-{n}" for n in range(20)]


def pids_of(parsers: ParsingProcesses) -> list[int]:
    return [each.pid for each in parsers.processes]


def test_small_files_and_those_whose_size_nobody_knows_need_none() -> None:
    assert processes_for(SIZE_BYTES_MIN - 1) == processes_for(None) == 0
