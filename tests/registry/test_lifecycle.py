"""The life of a status: registered, live with a heartbeat, unreachable in a silence; and nodes that are heard."""

from pathlib import Path

import pytest

from rollbook.registry.history.moments import AtRevision
from rollbook.registry.history.restoring import restoration
from rollbook.registry.liveness.heartbeats import parse_heartbeat
from rollbook.registry.writing.preconditions import ANY_REVISION
from tests.examples import node
from tests.journal.test_frozen import take_back_to
from tests.registry.clocks import Clocks
from tests.registry.fleets import Fleet, fleet_in
from tests.registry.writing import TESTER, create, delete, update


async def test_the_first_heartbeat_makes_a_registered_cluster_live(tmp_path: Path) -> None:
    async with fleet_in(tmp_path) as fleet:
        await create(fleet.registry, "west", status="registered")
        liveness = fleet.registry.liveness
        assert liveness.beat_at_once(TESTER, "west", parse_heartbeat({})) is None
        await fleet.beat("west")
        assert fleet.status("west") == "live"
        change = fleet.changes("west")[0]
        assert (change.actor, change.reason, change.kind) == ("registry", "the cluster sends heartbeats", "updated")
        assert liveness.beat_at_once(TESTER, "west", parse_heartbeat({})) is not None
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
            assert fleet.registry.liveness.beat_at_once(TESTER, "west", parse_heartbeat({})) is not None


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


async def restore(fleet: Fleet, id: str, revision: int | None) -> None:
    registry = fleet.registry
    command = await restoration(
        TESTER,
        registry.history,
        id,
        revision,
        rules=registry.rules,
        precondition=ANY_REVISION,
        limits=registry.limits,
        words=registry.liveness.status_words,
    )
    await registry.write(TESTER, command, reason="a test")


async def fallen_silent(fleet: Fleet, status: str) -> int:
    """A cluster that was marked; the revision of that."""
    await create(fleet.registry, "west", status=status)
    await fleet.beat("west")
    await fleet.go(9)
    assert fleet.status("west") == "unreachable"
    return fleet.registry.view.revision


async def test_restoring_a_marked_revision_restores_the_status_under_the_mark(tmp_path: Path) -> None:
    async with fleet_in(tmp_path) as fleet:
        marked = await fallen_silent(fleet, "draining")
        await update(fleet.registry, "west", {"reputation": 1})
        await fleet.beat("west")
        await update(fleet.registry, "west", {"status": "maintenance"})
        await restore(fleet, "west", marked)
        assert fleet.status("west") == "draining"
        await restore(fleet, "west", marked + 1)
        assert (fleet.status("west"), fleet.document("west")["reputation"]) == ("draining", 1)
        await fleet.beat("west")
        assert fleet.status("west") == "draining"


async def test_restoring_it_while_the_cluster_is_silent_keeps_the_mark(tmp_path: Path) -> None:
    async with fleet_in(tmp_path) as fleet:
        marked = await fallen_silent(fleet, "draining")
        await update(fleet.registry, "west", {"reputation": 1})
        await restore(fleet, "west", marked)
        assert fleet.status("west") == "unreachable"
        await fleet.beat("west")
        assert fleet.status("west") == "draining"


async def test_a_deleted_cluster_comes_back_without_the_mark(tmp_path: Path) -> None:
    async with fleet_in(tmp_path) as fleet:
        await fallen_silent(fleet, "draining")
        await delete(fleet.registry, "west")
        await restore(fleet, "west", None)
        assert fleet.status("west") == "draining"


async def test_a_status_that_somebody_wrote_is_restored_though_it_is_the_word_of_a_mark(tmp_path: Path) -> None:
    async with fleet_in(tmp_path) as fleet:
        await create(fleet.registry, "west", status="live")
        written = await update(fleet.registry, "west", {"status": "unreachable"})
        await update(fleet.registry, "west", {"status": "live"})
        await restore(fleet, "west", written)
        await fleet.beat("west")
        assert fleet.status("west") == "unreachable"


async def test_a_mark_of_which_nothing_is_known_any_more_is_taken_back(tmp_path: Path) -> None:
    async with fleet_in(tmp_path) as fleet:
        await fallen_silent(fleet, "live")
        newest = await update(fleet.registry, "west", {"reputation": 1})
        while fleet.registry.journal.compaction.step(newest - 1) < newest - 1:
            pass
    for path in tmp_path.glob("leases.sqlite3*"):
        path.unlink()
    async with fleet_in(tmp_path) as fleet:
        assert fleet.status("west") == "unreachable"
        await fleet.beat("west")
        assert fleet.status("west") == "live"


def compact(fleet: Fleet, revision: int) -> None:
    """Give up the changes up to a revision."""
    compaction = fleet.registry.journal.compaction
    while compaction.step(revision) < revision:
        pass


async def test_restoring_a_marked_revision_whose_mark_is_gone_from_the_history(tmp_path: Path) -> None:
    async with fleet_in(tmp_path) as fleet:
        marked = await fallen_silent(fleet, "draining")
        later = await update(fleet.registry, "west", {"reputation": 1})
        await update(fleet.registry, "west", {"status": "maintenance"})
        compact(fleet, marked)
        await restore(fleet, "west", later)
        assert (fleet.status("west"), fleet.document("west")["reputation"]) == ("draining", 1)


async def test_a_lost_lease_file_after_compaction_loses_no_former_status(tmp_path: Path) -> None:
    clocks = Clocks()
    async with fleet_in(tmp_path, clocks=clocks) as fleet:
        await fallen_silent(fleet, "draining")
        await update(fleet.registry, "west", {"reputation": 1})
        compact(fleet, fleet.registry.view.revision)
    (tmp_path / "leases.sqlite3").unlink()
    async with fleet_in(tmp_path, clocks=clocks) as fleet:
        await fleet.beat("west")
        assert fleet.status("west") == "draining"


async def test_a_status_that_somebody_wrote_stays_theirs_when_the_history_is_gone(tmp_path: Path) -> None:
    clocks = Clocks()
    async with fleet_in(tmp_path, clocks=clocks) as fleet:
        await create(fleet.registry, "west", status="live")
        await update(fleet.registry, "west", {"status": "unreachable"})
        await update(fleet.registry, "west", {"reputation": 1})
        compact(fleet, fleet.registry.view.revision)
    async with fleet_in(tmp_path, clocks=clocks) as fleet:
        await fleet.beat("west")
        assert fleet.status("west") == "unreachable"


async def test_the_time_of_a_status_is_that_of_the_change_that_gave_it(tmp_path: Path) -> None:
    clocks = Clocks()
    async with fleet_in(tmp_path, clocks=clocks) as fleet:
        await create(fleet.registry, "west", status="registered")
        facts = fleet.facts("west")
        assert facts["statusSince"] == facts["createdAt"]
        clocks.go(1)
        await update(fleet.registry, "west", {"reputation": 1})
        assert fleet.facts("west")["statusSince"] == facts["createdAt"] != fleet.facts("west")["updatedAt"]
        clocks.go(1)
        await update(fleet.registry, "west", {"status": "registered", "reputation": 2})
        assert fleet.facts("west")["statusSince"] == facts["createdAt"]
        clocks.go(1)
        await fleet.beat("west")
        live_since = fleet.facts("west")["statusSince"]
        assert live_since == fleet.facts("west")["updatedAt"]
        clocks.go(1)
        await update(fleet.registry, "west", {"reputation": 3})
    async with fleet_in(tmp_path, clocks=clocks) as fleet:
        assert fleet.facts("west")["statusSince"] == live_since
        past = await fleet.registry.history.version(TESTER, "west", AtRevision(3))
        assert fleet.registry.history.facts.of(past)["statusSince"] == facts["createdAt"]
        (found,) = await fleet.find(
            query={"_registry.statusSince": live_since},
            projection={"since": "$_registry.statusSince"},
            sort={"_registry.statusSince": -1},
        )
        assert found["since"] == live_since


async def test_an_old_journal_gives_a_marked_cluster_back_when_it_is_heard(tmp_path: Path) -> None:
    clocks = Clocks()
    async with fleet_in(tmp_path, clocks=clocks) as fleet:
        await fallen_silent(fleet, "draining")
        await update(fleet.registry, "west", {"reputation": 1})
        compact(fleet, fleet.registry.view.revision)
    (tmp_path / "leases.sqlite3").unlink()
    take_back_to(tmp_path, 4)
    async with fleet_in(tmp_path, clocks=clocks) as fleet:
        await fleet.beat("west")
        assert fleet.status("west") == "live"


async def test_who_does_not_see_the_status_does_not_see_since_when(tmp_path: Path) -> None:
    async with fleet_in(tmp_path, ["west"]) as fleet:
        facts, entry = fleet.registry.facts, fleet.registry.entry(TESTER, "west")
        masked = entry._replace(held=b'{"id":"west"}')
        assert facts.of(masked)["statusSince"] == facts.of(entry)["statusSince"]
        narrowed = facts.of_what_is_seen()
        assert narrowed.of(entry)["statusSince"] == facts.of(entry)["statusSince"]
        assert "statusSince" not in narrowed.of(masked)
