"""Silences in documents: written as a change like any other, taken back by the first beat, and never over a word of
somebody else."""

import asyncio
import logging
from pathlib import Path

import pytest

from rollbook.assembly import open_registry
from rollbook.errors import ClusterDeleted, ClusterNotFound, DocumentInvalid
from rollbook.limits import Limits
from rollbook.registry.liveness.heartbeats import PLAIN_HEARTBEAT, Heartbeat
from rollbook.settings import Settings
from tests.examples import node
from tests.registry.clocks import Clocks
from tests.registry.fleets import fleet_in
from tests.registry.writing import TESTER, create, delete, update


async def test_a_silence_and_its_end_are_changes_by_the_registry(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.beat("west")
        await fleet.go(9)
        assert fleet.status("west") == "unreachable"
        assert fleet.facts("west")["formerStatus"] == "live"
        await fleet.beat("west")
        assert fleet.status("west") == "live"
        assert "formerStatus" not in fleet.facts("west")
        returned, silence, created = fleet.changes("west")
        assert returned.after == created.after
        assert (silence.actor, silence.reason) == ("registry", "no heartbeat for 8.5 s; the lease was 8 s")
        assert (returned.actor, returned.reason) == ("registry", "heartbeats are back; the former status is restored")


async def test_the_log_names_clusters_that_become_unreachable_and_that_are_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "rollbook.registry.liveness.marking")
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.beat("west")
        await fleet.go(9)
        await fleet.beat("west")
    assert caplog.messages == [
        "cluster west is unreachable: no heartbeat for 8.5 s; the lease was 8 s",
        "cluster west is back: heartbeats are back; the former status is restored",
    ]


async def test_a_cluster_that_never_beat_is_left_alone(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.go(3_600 / 60)
        assert [change.kind for change in fleet.changes("west")] == ["created"]
        assert fleet.facts("west")["liveness"] == "unknown"


async def test_a_beat_writes_nothing(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.go(30, "west")
        assert fleet.registry.view.revision == 1


async def test_only_a_beat_of_which_no_document_takes_note_is_heard_at_once(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        liveness = fleet.registry.liveness
        assert liveness.beat_at_once(TESTER, "west", PLAIN_HEARTBEAT) is None  # the first one
        await fleet.beat("west")
        assert liveness.beat_at_once(TESTER, "west", PLAIN_HEARTBEAT) is not None
        assert liveness.beat_at_once(TESTER, "west", Heartbeat(status="live")) is None
        assert liveness.beat_at_once(TESTER, "east", PLAIN_HEARTBEAT) is None
        await fleet.go(31)
        assert (fleet.status("west"), liveness.metrics().beats) == ("unreachable", 2)
        assert liveness.beat_at_once(TESTER, "west", PLAIN_HEARTBEAT) is None
        await delete(fleet.registry, "west")
        await create(fleet.registry, "west")
        assert liveness.beat_at_once(TESTER, "west", PLAIN_HEARTBEAT) is None  # the lease is of another cluster
        assert liveness.metrics().beats == 2


@pytest.mark.parametrize("words", [["maintenance"], ["maintenance", "unreachable"], ["live"]])
async def test_a_status_that_somebody_wrote_meanwhile_stays(tmp_path: Path, words: list[str]) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.beat("west")
        await fleet.go(9)
        for word in words:
            await update(fleet.registry, "west", {"status": word})
        await fleet.go(60)
        assert fleet.status("west") == words[-1]
        await fleet.beat("west")
        assert fleet.status("west") == words[-1]
        assert fleet.changes("west")[0].actor == "tester"


async def test_another_field_that_somebody_wrote_meanwhile_does_not_hinder(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.beat("west")
        await fleet.go(9)
        await update(fleet.registry, "west", {"reputation": 5})
        await fleet.beat("west")
        assert (fleet.status("west"), fleet.document("west")["reputation"]) == ("live", 5)


async def test_a_status_that_was_there_already_is_nobodys_mark(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.beat("west")
        revision = await update(fleet.registry, "west", {"status": "unreachable"})
        await fleet.go(9)
        await fleet.beat("west")
        assert (fleet.status("west"), fleet.registry.view.revision) == ("unreachable", revision)


async def test_the_status_before_is_the_one_at_the_moment_of_the_mark(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.beat("west")
        await fleet.go(8)
        await update(fleet.registry, "west", {"status": "draining"})
        await fleet.go(1)
        await fleet.beat("west")
        assert fleet.status("west") == "draining"


async def test_many_writes_at_once_do_not_keep_a_beat_from_restoring(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.beat("west")
        await fleet.go(9)
        writes = [update(fleet.registry, "west", {"$push": {"nodes.nodeData": node(f"n{n}")}}) for n in range(40)]
        await asyncio.gather(*writes, fleet.beat("west"), fleet.beat("west"))
        await fleet.look()
        assert (fleet.status("west"), fleet.document("west")["nodes"]["count"]) == ("live", 41)
        assert sum(change.actor == "registry" for change in fleet.changes("west")) == 2


async def test_a_beat_and_a_foreign_status_at_once_leave_the_foreign_one(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        for n in range(10):
            await fleet.beat("west")
            await fleet.go(9)
            await asyncio.gather(fleet.beat("west"), update(fleet.registry, "west", {"status": f"mine-{n}"}))
            await fleet.look()
            assert fleet.status("west") == f"mine-{n}"


async def test_the_status_of_a_beat_is_written_when_it_differs(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.beat("west", status="busy")
        assert (fleet.status("west"), fleet.registry.view.revision) == ("busy", 2)
        assert fleet.changes("west")[0].actor == "tester"
        await fleet.beat("west", status="busy")
        assert fleet.registry.view.revision == 2


@pytest.mark.parametrize("status", ["busy", "live", "unreachable"])
async def test_the_status_of_the_first_beat_after_a_silence_stands(tmp_path: Path, status: str) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.beat("west")
        await fleet.go(9)
        await fleet.beat("west", status=status)
        await fleet.beat("west")
        assert fleet.status("west") == status


async def test_a_status_that_is_refused_does_not_undo_the_beat(tmp_path: Path) -> None:
    limits = Limits(document_bytes_max=2_048)
    async with fleet_in(tmp_path, ["west"], limits=limits) as fleet:
        await update(fleet.registry, "west", {"pad": "x" * 800})
        with pytest.raises(DocumentInvalid):
            await fleet.beat("west", status="busy" * 240)
        assert (fleet.facts("west")["liveness"], fleet.status("west")) == ("alive", "live")


async def test_the_word_for_the_unreachable_is_a_setting(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"], unreachable_status="gone") as fleet:
        await fleet.beat("west")
        await fleet.go(9)
        assert fleet.status("west") == "gone"
        await fleet.beat("west")
        assert fleet.status("west") == "live"


async def test_a_beat_for_nobody_says_whether_there_ever_was_somebody(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.beat("west")
        await delete(fleet.registry, "west")
        with pytest.raises(ClusterDeleted):
            await fleet.beat("west")
        with pytest.raises(ClusterNotFound):
            await fleet.beat("east")
        await create(fleet.registry, "west")
        assert fleet.facts("west")["liveness"] == "unknown"  # another cluster, which never sent a beat
        await fleet.go(20)
        assert fleet.status("west") == "live"
        await fleet.beat("west")
        assert fleet.facts("west")["liveness"] == "alive"


@pytest.mark.parametrize("jump", [3_600, -3_600])
async def test_a_clock_that_jumps_makes_nobody_unreachable(tmp_path: Path, jump: int) -> None:
    ids = [f"c{n}" for n in range(3)]
    async with fleet_in(tmp_path, ids) as fleet:
        await fleet.go(5, *ids)
        fleet.clocks.jump(jump)
        await fleet.look()
        assert fleet.causes == ["clock-jumped"]
        await fleet.go(20, *ids)
        assert {fleet.status(id) for id in ids} == {"live"}
        assert fleet.causes == []
        assert [fleet.facts(id)["liveness"] for id in ids] == ["alive"] * 3


@pytest.mark.parametrize("jump", [3_600, -3_600])
async def test_after_a_jump_of_the_clock_only_who_stays_away_becomes_unreachable(tmp_path: Path, jump: int) -> None:
    ids = [f"c{n}" for n in range(20)]
    steady, returning, gone = ids[:10], ids[10:18], ids[18:]
    async with fleet_in(tmp_path, ids) as fleet:
        await fleet.go(5, *ids)
        fleet.clocks.jump(jump)
        await fleet.go(7, *steady)
        assert (fleet.causes, fleet.registry.view.revision) == (["clock-jumped"], 20)
        await fleet.go(3, *steady, *returning)
        assert {id for id in ids if fleet.status(id) == "unreachable"} == set(gone)
        assert (fleet.causes, fleet.registry.view.revision) == ([], 22)


async def test_a_mass_silence_changes_no_document(tmp_path: Path) -> None:
    ids = [f"c{n}" for n in range(12)]
    async with fleet_in(tmp_path, ids) as fleet:
        await fleet.beat(*ids)
        await fleet.go(120)
        assert {fleet.status(id) for id in ids} == {"live"}
        assert fleet.causes == ["mass-silence"]
        assert len(await fleet.find(query={"_registry.liveness": "silent"})) == 12
        await fleet.beat(*ids)
        await fleet.look()
        assert fleet.registry.view.revision == 12
        assert fleet.registry.liveness.metrics().holds["mass-silence"] == 1


async def test_whoever_writes_the_status_of_a_waiting_cluster_takes_it_out_of_the_count(tmp_path: Path) -> None:
    ids = [f"c{n}" for n in range(20)]
    async with fleet_in(tmp_path, ids) as fleet:
        await fleet.beat(*ids)
        await fleet.go(10, *ids[6:])
        assert fleet.causes == ["mass-silence"]
        await update(fleet.registry, "c0", {"status": "down for good"})
        await fleet.go(10, *ids[6:])
        assert [fleet.status(id) for id in ids[:6]] == ["down for good", *["unreachable"] * 5]


async def test_nodes_that_are_present_have_a_liveness_of_their_own(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await update(fleet.registry, "west", {"nodes.nodeData": [node("a"), node("b")]})
        await fleet.beat("west", nodes=["a", "b"])
        await fleet.go(5)
        await fleet.beat("west", nodes=["b"])
        told = {node["id"]: (node["liveness"], node["ageSeconds"]) for node in fleet.facts("west")["nodes"]}
        assert told == {"a": ("late", 5.0), "b": ("alive", 0.0)}


async def test_what_comes_and_goes_is_reported_as_flapping(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        told = []
        for _ in range(3):
            await fleet.beat("west")
            facts = fleet.facts("west")
            told.append((facts["turns"], facts["flapping"]))
            await fleet.go(9)
        assert told == [(0, False), (2, False), (4, True)]
        assert fleet.status("west") == "unreachable"  # nothing is damped
        await fleet.go(601, "west")
        assert (fleet.facts("west")["turns"], fleet.facts("west")["flapping"]) == (0, False)


async def test_what_the_registry_does_is_counted(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        await fleet.beat("west")
        await fleet.go(9)
        await fleet.beat("west")
        counted = fleet.registry.liveness.metrics()
        assert (counted.beats, counted.marked, counted.restored) == (2, 1, 1)


async def test_a_document_that_can_not_have_the_status_is_left_alone(tmp_path: Path) -> None:
    limits = Limits(document_bytes_max=4_096)
    async with fleet_in(tmp_path, ["west"], limits=limits) as fleet:
        room = limits.document_bytes_max - len(fleet.registry.entry(TESTER, "west").body)
        await update(fleet.registry, "west", {"pad": "x" * (room - len(',"pad":""'))})
        await fleet.beat("west")
        await fleet.go(20)
        assert fleet.status("west") == "live"
        assert fleet.facts("west")["liveness"] == "silent"


class TestAfterARestart:
    """Whatever the registry did before it stopped, or fell."""

    async def test_everybody_has_a_lease_to_be_heard_again(self, tmp_path: Path) -> None:
        clocks = Clocks()
        async with fleet_in(tmp_path, ["west", "east"], clocks=clocks) as fleet:
            await fleet.beat("west", "east", nodes=["node-1"])
        clocks.go(3_600)
        async with fleet_in(tmp_path, clocks=clocks) as fleet:
            assert fleet.causes == ["started"]
            facts = fleet.facts("west")
            assert (facts["liveness"], facts["ageSeconds"]) == ("unknown", 3_600)
            assert facts["nodes"][0]["id"] == "node-1"
            await fleet.go(8, "east")
            assert (fleet.status("west"), fleet.causes) == ("live", ["started"])
            await fleet.go(1, "east")
            assert (fleet.status("west"), fleet.status("east"), fleet.causes) == ("unreachable", "live", [])

    async def test_a_silence_that_was_written_down_is_remembered(self, tmp_path: Path) -> None:
        clocks = Clocks()
        async with fleet_in(tmp_path, ["west"], clocks=clocks) as fleet:
            await fleet.beat("west")
            await fleet.go(9)
        async with fleet_in(tmp_path, clocks=clocks) as fleet:
            assert fleet.facts("west")["liveness"] == "silent"
            assert fleet.facts("west")["formerStatus"] == "live"
            await fleet.go(20)
            await fleet.beat("west")
            assert (fleet.status("west"), fleet.registry.view.revision) == ("live", 3)

    @pytest.mark.parametrize("left", ["nothing", "what was stored before the silence"])
    async def test_the_history_tells_what_a_crash_lost(self, tmp_path: Path, left: str) -> None:
        clocks, stored = Clocks(), tmp_path / "data" / "leases.sqlite3"
        async with fleet_in(tmp_path / "data", ["west"], clocks=clocks) as fleet:
            await fleet.beat("west")
        before = stored.read_bytes()
        async with fleet_in(tmp_path / "data", clocks=clocks) as fleet:
            await fleet.go(9)
            assert fleet.status("west") == "unreachable"
        stored.unlink()
        if left != "nothing":
            stored.write_bytes(before)
        async with fleet_in(tmp_path / "data", clocks=clocks) as fleet:
            if left != "nothing":
                await fleet.go(9)
                assert fleet.facts("west")["liveness"] == "silent"
            await fleet.beat("west")
            assert (fleet.status("west"), fleet.registry.view.revision) == ("live", 3)

    async def test_the_history_tells_a_word_of_somebody_from_a_mark(self, tmp_path: Path) -> None:
        clocks = Clocks()
        async with fleet_in(tmp_path / "data", ["west"], clocks=clocks) as fleet:
            await fleet.beat("west")
            await fleet.go(9)
            await update(fleet.registry, "west", {"status": "maintenance"})
            await update(fleet.registry, "west", {"status": "unreachable"})
            await update(fleet.registry, "west", {"reputation": 5})
        (tmp_path / "data" / "leases.sqlite3").unlink()
        async with fleet_in(tmp_path / "data", clocks=clocks) as fleet:
            await fleet.beat("west")
            assert fleet.status("west") == "unreachable"

    async def test_a_registry_that_is_only_opened_hears_and_writes_nothing(self, tmp_path: Path) -> None:
        clocks = Clocks()
        async with fleet_in(tmp_path, ["west"], clocks=clocks) as fleet:
            await fleet.beat("west")
        async with open_registry(Settings(data=tmp_path), read_clocks=clocks) as registry:
            clocks.go(3_600)
            assert registry.facts.of(registry.entry(TESTER, "west"))["liveness"] == "unknown"
        async with fleet_in(tmp_path, clocks=clocks) as fleet:
            slots, _ = await fleet.registry.liveness.uptime(TESTER, fleet.registry.entry(TESTER, "west"))
            assert sum(share.silent for share in slots) == 0

    async def test_uptime_goes_on_where_it_was(self, tmp_path: Path) -> None:
        clocks = Clocks()
        async with fleet_in(tmp_path, ["west"], clocks=clocks) as fleet:
            await fleet.beat("west", ttlSeconds=600)
            await fleet.go(90)
        clocks.go(180)
        async with fleet_in(tmp_path, clocks=clocks) as fleet:
            await fleet.beat("west", ttlSeconds=600)
            await fleet.go(180)  # the end of the quarter of an hour, which began 450 seconds before
            await fleet.go(90)
            slots, days = await fleet.registry.liveness.uptime(TESTER, fleet.registry.entry(TESTER, "west"))
            assert slots[-2][1:] == pytest.approx((0.3, 0, 0, 0.7), abs=0.01)
            assert slots[-1][1:] == pytest.approx((1, 0, 0, 0), abs=0.01)
            await fleet.registry.liveness.saver.save()
            assert await fleet.registry.liveness.uptime(TESTER, fleet.registry.entry(TESTER, "west")) == (slots, days)

    async def test_a_cluster_that_was_deleted_leaves_nothing(self, tmp_path: Path) -> None:
        clocks = Clocks()
        async with fleet_in(tmp_path, ["west"], clocks=clocks) as fleet:
            await fleet.go(500, "west")
            await fleet.registry.liveness.saver.save()
            await delete(fleet.registry, "west")
            await create(fleet.registry, "west")
            await fleet.beat("west")
        async with fleet_in(tmp_path, clocks=clocks) as fleet:
            slots, _ = await fleet.registry.liveness.uptime(TESTER, fleet.registry.entry(TESTER, "west"))
            assert sum(share.alive for share in slots) == 0


async def test_a_beat_of_a_cluster_that_was_just_enrolled_anew_is_not_forgotten_with_the_former_one(
    tmp_path: Path,
) -> None:
    async with fleet_in(tmp_path, "ab") as fleet:
        await fleet.beat("b")
        await delete(fleet.registry, "a")
        await create(fleet.registry, "a")
        await fleet.beat("a")
        await fleet.look()
        assert fleet.facts("a")["liveness"] == "alive"
