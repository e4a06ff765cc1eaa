"""The table of leases: whose silence is due, what holds it back, and what a beat changes."""

import pytest

from rollbook.clusters.liveness import Lease, liveness_of
from rollbook.registry.liveness.lease_metrics import leases_as_json
from rollbook.registry.liveness.leases import SETTLE_SECONDS, Leases
from tests.registry.clocks import Clocks

TICK = 0.125  # a power of two: boundaries are exact


class Fleet:
    """Leases under a clock that goes in ticks. ``marked`` are the ids whose silence was due, in that order."""

    def __init__(self) -> None:
        self.clocks = Clocks()
        self.leases = Leases(self.clocks())
        self.marked: list[str] = []

    def beat(self, *ids: str | int, ttl: int = 8) -> None:
        for id in ids:
            self.leases.renew(str(id), 1, ttl, self.clocks())

    def look(self) -> None:
        for lease in self.leases.look(self.clocks()):
            self.marked.append(lease.id)
            self.leases.note(lease, self.clocks())

    def go(self, seconds: float, *beating: str | int) -> None:
        """Time passes, with a look at every tick, before which ``beating`` send a beat."""
        for _ in range(round(seconds / TICK)):
            self.clocks.go(TICK)
            self.beat(*beating)
            self.look()

    def liveness(self, id: str | int) -> str:
        at = self.clocks()
        return liveness_of(self.lease(id), at.seconds, self.leases.listening_since(at.seconds))

    def lease(self, id: str | int) -> Lease:
        lease = self.leases.get(str(id))
        assert lease is not None
        return lease

    @property
    def causes(self) -> list[str]:
        return [hold["cause"] for hold in leases_as_json(self.leases)["holds"]]


def test_a_silence_is_due_within_a_second_after_the_lease_and_only_once() -> None:
    fleet = Fleet()
    fleet.beat("west")
    fleet.go(8)
    assert (fleet.marked, fleet.liveness("west")) == ([], "late")
    fleet.go(TICK)
    assert (fleet.marked, fleet.liveness("west")) == ([], "silent")
    fleet.go(1 - TICK)
    assert fleet.marked == ["west"]
    fleet.go(60)
    assert fleet.marked == ["west"]


def test_a_beat_in_the_moment_before_the_silence_is_written_down_is_heard() -> None:
    fleet = Fleet()
    fleet.beat("west")
    fleet.go(8 + TICK)
    assert TICK < SETTLE_SECONDS
    fleet.beat("west")
    fleet.go(8)
    assert fleet.marked == []


def test_a_beat_makes_a_lease_longer_or_shorter() -> None:
    fleet = Fleet()
    fleet.beat("west", ttl=100)
    fleet.go(1)
    fleet.beat("west", ttl=2)
    fleet.go(3)
    assert fleet.marked == ["west"]
    fleet.beat("west", ttl=2)
    fleet.beat("west", ttl=100)
    fleet.go(99)
    assert fleet.marked == ["west"]


def test_who_changes_the_length_all_the_time_does_not_fill_the_memory() -> None:
    fleet = Fleet()
    for _ in range(3_000):
        fleet.beat("west", ttl=86_400)
        fleet.beat("west", ttl=1)
        fleet.clocks.go(0.5)
        fleet.look()
    assert fleet.leases.expiries.entries < 2_100
    fleet.go(2)
    assert fleet.marked == ["west"]


@pytest.mark.parametrize(("clusters", "silent", "held"), [(9, 9, False), (10, 2, False), (10, 3, True), (10, 10, True)])
def test_nothing_is_due_in_a_mass_silence(clusters: int, silent: int, held: bool) -> None:
    fleet = Fleet()
    fleet.beat(*range(clusters))
    fleet.go(10, *range(silent, clusters))
    assert len(fleet.marked) == (0 if held else silent)
    assert fleet.causes == (["mass-silence"] if held else [])


@pytest.mark.parametrize(("silent", "held"), [(29, False), (30, True)])
def test_thirty_percent_are_a_mass(silent: int, held: bool) -> None:
    fleet = Fleet()
    fleet.beat(*range(100))
    fleet.go(10, *range(silent, 100))
    assert (len(fleet.marked), bool(fleet.causes)) == ((0, True) if held else (29, False))


def test_silences_one_after_another_within_one_window_are_a_mass() -> None:
    fleet = Fleet()
    fleet.beat(*range(10))
    fleet.go(2, *range(1, 10))
    fleet.go(2, *range(2, 10))
    fleet.go(60, *range(3, 10))
    # 0 and 1 were due before anybody could know; 2 waits while they count, which is as long as their leases are.
    assert fleet.marked[:2] == ["0", "1"]
    assert fleet.leases.holds.begun["mass-silence"] == 1


def test_silences_far_from_each_other_are_none() -> None:
    fleet = Fleet()
    fleet.beat(*range(13))
    for gone in range(4):
        fleet.go(20, *range(gone + 1, 13))
    assert fleet.marked == ["0", "1", "2", "3"]
    assert fleet.leases.holds.begun["mass-silence"] == 0


def test_long_silent_clusters_are_not_under_lease_any_more() -> None:
    fleet = Fleet()
    for id in range(100):
        fleet.beat(id)
        fleet.go(10)
    fleet.beat(*range(9))  # nine of a hundred are back, too few to be a mass when they fall silent
    fleet.go(10)
    assert fleet.marked[-9:] == [str(id) for id in range(9)]


def test_a_mass_silence_has_no_end_but_beats() -> None:
    fleet = Fleet()
    fleet.beat(*range(10))
    fleet.go(3_600)
    assert (fleet.marked, fleet.causes) == ([], ["mass-silence"])
    assert [fleet.liveness(id) for id in range(10)] == ["silent"] * 10
    assert leases_as_json(fleet.leases)["holds"][0]["waiting"] == 10


def test_after_a_mass_silence_who_is_still_silent_has_another_lease() -> None:
    fleet = Fleet()
    fleet.beat(*range(10))
    fleet.go(20)
    fleet.go(TICK, *range(3, 10))
    assert fleet.causes == ["mass-silence"]  # 3 of 10 are silent still
    fleet.go(TICK, *range(2, 10))
    assert fleet.causes == ["beats-returned"]
    assert fleet.liveness(0) == "unknown"
    fleet.go(8, *range(2, 10))
    assert (fleet.marked, fleet.causes) == ([], ["beats-returned"])
    fleet.go(1, *range(2, 10))
    assert (fleet.marked, fleet.causes) == (["0", "1"], [])


def test_who_knows_better_can_end_a_mass_silence() -> None:
    fleet = Fleet()
    fleet.beat(*range(20))
    fleet.go(10, *range(6, 20))
    assert fleet.causes == ["mass-silence"]
    fleet.leases.note(fleet.lease(0), fleet.clocks(), counts=False)  # somebody has written its status
    fleet.go(TICK, *range(6, 20))
    assert fleet.causes == ["beats-returned"]  # 5 of 19
    fleet.leases.drop("1")
    fleet.go(10, *range(6, 20))
    assert fleet.marked == ["2", "3", "4", "5"]


@pytest.mark.parametrize("jump", [3_600, -3_600, 1.5, -1.5])
def test_a_jump_of_the_clock_is_told_and_makes_nobody_silent(jump: float) -> None:
    fleet = Fleet()
    fleet.beat(*range(3))
    fleet.go(7)
    fleet.clocks.jump(jump)
    fleet.go(7.5)
    assert (fleet.marked, fleet.causes) == ([], ["clock-jumped"])
    fleet.beat(*range(3))
    assert fleet.causes == []
    fleet.go(9)
    assert sorted(fleet.marked) == ["0", "1", "2"]


@pytest.mark.parametrize("pause", [1.25, 60, 86_400])
def test_after_a_pause_every_lease_counts_anew(pause: float) -> None:
    fleet = Fleet()
    fleet.beat("west", "east", ttl=8)
    fleet.go(4)
    fleet.clocks.go(pause)
    fleet.look()
    assert fleet.causes == ["paused"]
    fleet.go(8, "east")
    assert (fleet.marked, fleet.causes) == ([], ["paused"])
    assert (fleet.liveness("west"), fleet.liveness("east")) == ("unknown", "alive")
    fleet.go(1, "east")
    assert (fleet.marked, fleet.causes) == (["west"], [])


def test_a_beat_that_comes_before_the_first_look_after_a_pause_is_one() -> None:
    fleet = Fleet()
    fleet.beat("west", "east")
    fleet.clocks.go(60)
    fleet.beat("west")
    assert leases_as_json(fleet.leases)["holds"][0]["waiting"] == 1
    assert (fleet.liveness("west"), fleet.liveness("east")) == ("alive", "unknown")
    fleet.look()
    fleet.go(8)
    assert fleet.marked == []


def test_who_asks_before_the_first_look_after_a_pause_is_not_told_of_silence() -> None:
    fleet = Fleet()
    fleet.beat("west")
    fleet.clocks.go(60)
    assert fleet.liveness("west") == "unknown"


def test_a_pause_shorter_than_a_second_is_none() -> None:
    fleet = Fleet()
    fleet.beat("west", ttl=1)
    fleet.clocks.go(1)
    fleet.look()
    assert fleet.causes == []
    fleet.go(1)
    assert fleet.marked == ["west"]


def test_a_pause_in_a_mass_silence_begins_it_anew() -> None:
    fleet = Fleet()
    fleet.beat(*range(10))
    fleet.go(10)
    fleet.clocks.go(60)
    fleet.look()
    assert fleet.causes == ["paused"]
    fleet.go(20)
    assert (fleet.marked, fleet.causes) == ([], ["mass-silence"])


def test_a_new_cluster_of_an_old_id_has_a_lease_of_its_own() -> None:
    fleet = Fleet()
    fleet.beat("west")
    fleet.go(10)
    lease = fleet.leases.renew("west", 2, 8, fleet.clocks())
    assert (lease.life, lease.noted, lease.turns) == (2, False, ())
    assert fleet.leases.gone == {"west"}


def test_a_dropped_lease_is_never_due() -> None:
    fleet = Fleet()
    fleet.beat("west")
    fleet.go(8.25)
    fleet.leases.drop("west")
    fleet.go(10)
    assert (fleet.marked, len(fleet.leases)) == ([], 0)


def test_turns_are_counted_when_a_cluster_falls_silent_and_when_it_comes_back() -> None:
    fleet = Fleet()
    for _ in range(12):
        fleet.beat("west")
        fleet.go(9)
    turns = fleet.lease("west").turns
    assert len(turns) == 20  # the last ones
    assert list(turns) == sorted(turns)


def test_uptime_is_counted_through_beats_silences_and_pauses() -> None:
    fleet = Fleet()
    fleet.beat("west", ttl=8)
    fleet.go(20)  # 4 alive, 4 late, 12 silent
    fleet.beat("west", ttl=8)
    fleet.go(2)  # 2 alive
    fleet.clocks.go(100)  # nobody listened
    fleet.look()
    fleet.go(20)  # 8 of grace, then 12 silent
    fleet.leases.count(fleet.lease("west"), fleet.clocks())
    assert fleet.leases.uptimes.slot_spent("west")[1] == pytest.approx((6, 4, 24))


def test_a_slot_that_ends_is_laid_by_for_everybody() -> None:
    fleet = Fleet()
    fleet.beat("west", "east", ttl=1_000)
    fleet.go(449, "west")
    slot = fleet.leases.uptimes.slot
    fleet.go(2, "west")
    assert fleet.leases.uptimes.slot == slot + 1
    for id in ("west", "east"):
        assert fleet.leases.uptimes.finished_of(id) == [(slot, pytest.approx((450, 0, 0)))]
        fleet.leases.count(fleet.lease(id), fleet.clocks())
        assert fleet.leases.uptimes.slot_spent(id) == (slot + 1, pytest.approx((1, 0, 0), abs=TICK))


def test_a_jump_of_the_clock_lays_by_what_was_counted_and_counts_in_the_new_slot() -> None:
    fleet = Fleet()
    fleet.beat("west", ttl=1_000)
    slot = fleet.leases.uptimes.slot
    fleet.go(10)
    fleet.clocks.jump(3_600)
    fleet.go(10)
    fleet.leases.count(fleet.lease("west"), fleet.clocks())
    assert fleet.leases.uptimes.finished_of("west") == [(slot, pytest.approx((10, 0, 0)))]
    assert fleet.leases.uptimes.slot_spent("west") == (slot + 4, pytest.approx((10, 0, 0), abs=TICK))
