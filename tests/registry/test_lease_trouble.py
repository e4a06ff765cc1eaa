"""When the disk refuses: beats are heard all the same, and what could not be written is written later."""

from pathlib import Path

import apsw

from tests.journal.test_sqlite_disk_errors import Disk, disk
from tests.registry.clocks import Clocks
from tests.registry.fleets import fleet_in
from tests.registry.writing import TESTER

__all__ = ["disk"]  # the fixture

NO_SPACE = ("write", apsw.SQLITE_FULL)


async def test_a_silence_is_written_down_when_the_disk_can_be_written_again(tmp_path: Path, disk: Disk) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.beat("west")
        disk.refuses = NO_SPACE
        await fleet.go(12)
        assert (fleet.status("west"), fleet.facts("west")["liveness"]) == ("live", "silent")
        disk.refuses = None
        await fleet.go(1.25)
        assert fleet.status("west") == "unreachable"


async def test_a_beat_is_heard_though_its_restoring_has_to_wait(tmp_path: Path, disk: Disk) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.beat("west")
        await fleet.go(9)
        disk.refuses = NO_SPACE
        await fleet.beat("west")
        assert (fleet.status("west"), fleet.facts("west")["liveness"]) == ("unreachable", "alive")
        disk.refuses = None
        await fleet.go(1.25)
        assert fleet.status("west") == "live"


async def test_leases_that_could_not_be_stored_are_stored_later(tmp_path: Path, disk: Disk) -> None:
    clocks = Clocks()
    async with fleet_in(tmp_path, ["west"], clocks=clocks) as fleet:
        disk.refuses = NO_SPACE
        await fleet.go(460, "west")  # a quarter of an hour ends meanwhile
        await fleet.registry.liveness.saver.save()
        slots, _ = await fleet.registry.liveness.uptime(TESTER, fleet.registry.entry(TESTER, "west"))
        disk.refuses = None
    async with fleet_in(tmp_path, clocks=clocks) as fleet:
        assert fleet.facts("west")["ageSeconds"] == 0
        kept, _ = await fleet.registry.liveness.uptime(TESTER, fleet.registry.entry(TESTER, "west"))
        assert kept[-2] == slots[-2]
        assert kept[-2].alive > 0.49
