"""The life of a status: registered, live with a heartbeat, unreachable in a silence; and nodes that are heard."""

from pathlib import Path

import pytest

from rollbook.registry.liveness.heartbeats import parse_heartbeat
from tests.examples import node
from tests.registry.fleets import fleet_in
from tests.registry.writing import TESTER, create, update


async def test_the_first_heartbeat_makes_a_registered_cluster_live(tmp_path: Path) -> None:
    async with fleet_in(tmp_path) as fleet:
        await create(fleet.registry, "west", status="registered")
        liveness = fleet.registry.liveness
        assert liveness.beat_at_once("west", parse_heartbeat({})) is None
        await fleet.beat("west")
        assert fleet.status("west") == "live"
        change = fleet.changes("west")[0]
        assert (change.actor, change.reason, change.kind) == ("registry", "the cluster sends heartbeats", "updated")
        assert liveness.beat_at_once("west", parse_heartbeat({})) is not None
        assert fleet.registry.view.revision == 2


@pytest.mark.parametrize("status", ["draining", "maintenance", "live", "whatever"])
async def test_a_heartbeat_leaves_any_other_status(tmp_path: Path, status: str) -> None:
    async with fleet_in(tmp_path) as fleet:
        await create(fleet.registry, "west", status=status)
        await fleet.beat("west")
        assert (fleet.status("west"), fleet.registry.view.revision) == (status, 1)


async def test_the_status_that_a_heartbeat_brings_is_written_instead(tmp_path: Path) -> None:
    async with fleet_in(tmp_path) as fleet:
        await create(fleet.registry, "west", status="registered")
        await fleet.beat("west", status="draining")
        assert [change.actor for change in fleet.changes("west")] == ["tester", "tester"]
        assert fleet.status("west") == "draining"


async def test_another_word_for_live_or_none(tmp_path: Path) -> None:
    for word, status in (("up", "up"), ("", "registered"), ("registered", "registered")):
        async with fleet_in(tmp_path / (word or "none"), live_status=word) as fleet:
            await create(fleet.registry, "west", status="registered")
            await fleet.beat("west")
            assert fleet.status("west") == status
            assert fleet.registry.liveness.beat_at_once("west", parse_heartbeat({})) is not None


async def test_a_registered_cluster_that_was_silent_is_live_when_it_is_heard_again(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, live_status="") as fleet:
        await create(fleet.registry, "west", status="registered")
        await fleet.beat("west")
        await fleet.go(9)
        assert fleet.status("west") == "unreachable"
    async with fleet_in(tmp_path) as fleet:
        await fleet.beat("west")
        assert fleet.status("west") == "live"


async def test_a_heartbeat_names_nodes_that_are_there_and_others_are_reported(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        beat = parse_heartbeat({"nodes": ["node-1", "ghost", "node-1", "ghost", "other"]})
        lease = await fleet.registry.liveness.beat(TESTER, "west", beat)
        assert lease.unknown_nodes == ("ghost", "other")
        assert [each["id"] for each in fleet.facts("west")["nodes"]] == ["node-1"]
        await update(fleet.registry, "west", {"$push": {"nodes.nodeData": node("ghost")}})
        lease = await fleet.registry.liveness.beat(TESTER, "west", parse_heartbeat({"nodes": ["ghost"]}))
        assert lease.unknown_nodes == ()
        assert [each["id"] for each in fleet.facts("west")["nodes"]] == ["node-1", "ghost"]
        await update(fleet.registry, "west", {"$pull": {"nodes.nodeData": {"id": "node-1"}}})
        await fleet.beat("west", nodes=["ghost"])
        assert [each["id"] for each in fleet.facts("west")["nodes"]] == ["ghost"]
        await fleet.beat("west")
        assert lease.unknown_nodes == ()
