"""Laws of statuses under beats, time, pauses, jumps of the clock, restarts and words of others, in any order.

The model is what everybody else said: ``word`` is the last status that anyone but the registry gave a cluster.
"""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rollbook.clusters.liveness import liveness_of
from rollbook.registry.liveness.heartbeats import Heartbeat
from rollbook.registry.liveness.lease_metrics import totals_of
from tests.registry.clocks import Clocks
from tests.registry.fleets import Fleet, fleet_in
from tests.registry.writing import TESTER, create, delete, update

IDS = ["a", "b", "c"]
TICK = 0.25
ids = st.sampled_from(IDS)
words = st.sampled_from(["live", "busy", "unreachable"])


@dataclass
class Said:
    """What the model knows of a cluster. ``spoken``: somebody wrote its status after its lease had run out.

    ``former``: a heartbeat has brought the status that the registry had written, which changed no document, so the
    journal knows of the one before it only.
    """

    word: str = "live"
    ttl: int | None = None
    beat_at: float = 0.0
    spoken: bool = False
    former: str | None = None


class Statuses(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.data = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.clocks = Clocks()
        self.said = {id: Said() for id in IDS}
        self.run(self.open())
        for id in IDS:
            self.run(create(self.fleet.registry, id))

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    async def open(self) -> None:
        self.stack = AsyncExitStack()
        self.fleet: Fleet = await self.stack.enter_async_context(fleet_in(self.data, clocks=self.clocks))
        self.listening_since = self.clocks.seconds

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.run(self.stack.aclose())
            self.runner.close()
            shutil.rmtree(self.data)

    def has_run_out(self, id: str) -> float:
        """For how long a lease has run out; negative while it has not, or when there is none."""
        said = self.said[id]
        if said.ttl is None:
            return -1.0
        return self.clocks.seconds - max(said.beat_at, self.listening_since) - said.ttl

    @rule(id=ids, ttl=st.integers(1, 4), status=st.none() | words)
    def beat(self, id: str, ttl: int, status: str | None) -> None:
        said, was = self.said[id], self.fleet.status(id)
        self.run(self.fleet.registry.liveness.beat(TESTER, id, Heartbeat(ttl, status)))
        said.ttl, said.beat_at, said.spoken = ttl, self.clocks.seconds, False
        if status is not None and status != was:
            said.former = None
        elif status is not None and status != said.word:
            said.former = said.word
        said.word = said.word if status is None else status
        assert self.fleet.status(id) == said.word

    @rule(seconds=st.sampled_from([0.25, 0.5, 1, 2, 5]))
    def go(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.clocks.go(TICK)
            self.run(self.fleet.look())

    @rule(id=ids, word=words)
    def write(self, id: str, word: str) -> None:
        if self.fleet.status(id) != word:
            self.run(update(self.fleet.registry, id, {"status": word}))
            self.said[id].word, self.said[id].former = word, None
            self.said[id].spoken |= self.has_run_out(id) > 0 or self.facts(id)["liveness"] == "silent"

    @rule(id=ids)
    def write_another_field(self, id: str) -> None:
        self.run(update(self.fleet.registry, id, {"$inc": {"writes": 1}}))

    @rule(id=ids)
    def enrol_anew(self, id: str) -> None:
        self.run(delete(self.fleet.registry, id))
        self.run(create(self.fleet.registry, id))
        self.said[id] = Said()

    @rule(seconds=st.sampled_from([2.0, 60.0]))
    def pause(self, seconds: float) -> None:
        self.clocks.go(seconds)
        self.run(self.fleet.look())
        self.listening_since = self.clocks.seconds

    @rule(seconds=st.sampled_from([3_600, -3_600]))
    def set_the_clock(self, seconds: int) -> None:
        self.clocks.jump(seconds)
        self.run(self.fleet.look())
        self.listening_since = self.clocks.seconds

    @rule(lost=st.booleans(), seconds=st.sampled_from([0.0, 100.0]))
    def restart(self, lost: bool, seconds: float) -> None:
        """With its leases, or without what the crash lost of them, which is all."""
        self.run(self.stack.aclose())
        if lost:
            (self.data / "leases.sqlite3").unlink()
            for said in self.said.values():
                said.ttl, said.word, said.former = None, said.former or said.word, None
        self.clocks.go(seconds)
        self.run(self.open())

    def facts(self, id: str) -> dict[str, Any]:
        return self.fleet.facts(id)

    @invariant()
    def the_status_is_what_others_said_or_says_that_the_cluster_is_silent(self) -> None:
        for id, said in self.said.items():
            if self.fleet.status(id) != said.word:
                assert self.fleet.status(id) == "unreachable"
                assert self.facts(id)["liveness"] in ("silent", "unknown"), "the first beat restores"

    @invariant()
    def a_silence_is_in_the_document_a_second_later_unless_somebody_has_spoken_since(self) -> None:
        for id, said in self.said.items():
            if self.has_run_out(id) > 1 and not said.spoken:
                assert self.fleet.status(id) == "unreachable"
                assert self.facts(id)["liveness"] == "silent"

    @invariant()
    def the_totals_are_those_of_a_look_at_each_lease_to_within_a_second(self) -> None:
        leases, now = self.fleet.registry.liveness.leases, self.clocks.seconds
        totals, since = totals_of(leases, now), leases.listening_since(now)
        alive_now, alive_before = (
            [liveness_of(lease, at, since) for lease in leases].count("alive") for at in (now, now - 1)
        )
        assert sum(totals.values()) == len(leases)
        assert min(totals.values()) >= 0
        assert alive_now <= totals["alive"] <= alive_before


Statuses.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestStatuses = Statuses.TestCase


def test_a_status_that_a_heartbeat_brings_stands_after_a_restart_though_the_registry_had_written_it() -> None:
    state = Statuses()
    state.begin()
    state.beat(id="c", status=None, ttl=1)
    state.go(seconds=2)
    state.beat(id="c", status="unreachable", ttl=1)
    for _ in range(2):
        state.restart(lost=False, seconds=0.0)
        state.beat(id="c", status=None, ttl=1)
    state.teardown()
