"""Histories: three processes on one simulated engine, with faults; a seed is a history.

Each process is the real journal (writer, chain, follower, settling) over a simulated engine, and decides commands on
the state that it has followed, as the committer does. In the midst of a statement other processes take steps, so any
process may be paused at any statement for as long as others need to write, compact and fail over.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, cast

from rollbook.errors import AppendUndecided, Compacted, JournalConflict, JournalUnavailable
from rollbook.journal.changes import Change
from rollbook.journal.postgresql.batches import Position
from rollbook.journal.postgresql.connecting import Session, Sessions
from rollbook.journal.postgresql.journal import PostgresqlJournal
from rollbook.journal.postgresql.schema import Identity
from rollbook.journal.postgresql.writing import EngineWriter
from tests.journal.simulation.engine import GENESIS, Engine, opened

STEPS = 60
DEPTH_MAX = 2
IDS = "abc"
RULES = frozenset({"register", "predecessor", "same-token", "chain"})


class Process:
    """One process: what it has followed, what it was acknowledged, and the outcomes that it does not know."""

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self.engine = engine
        self.count = 0
        self.is_busy = False
        self.acknowledged: list[tuple[int, str]] = []
        self.refused: list[str] = []
        self.undecided: list[str] = []
        self.start()

    def start(self) -> None:
        """Begin anew: load everything."""
        engine, state = self.engine, self.engine.safe

        def open_session(deadline: float | None) -> Session:
            return cast(Session, opened(engine, deadline))

        def sleep(seconds: float) -> None:
            engine.now += seconds
            engine.fault()

        writer = EngineWriter(open_session, seconds=1.0, clock=lambda: engine.now, sleep=sleep)
        newest = Position(*state.newest)
        identity = Identity(GENESIS, b"")
        self.journal = PostgresqlJournal(
            identity, newest, target="", writer=writer, readers=Sessions(cast(Any, open_session), kept_max=1)
        )
        self.revision, self.documents = newest.revision, dict(state.documents)
        self.waiting: tuple[list[Change], str] | None = None

    def step(self) -> None:
        """Follow, settle, write, or compact: whatever comes next."""
        if self.is_busy:
            return
        self.is_busy = True
        try:
            if not self._settle():
                return
            if self.engine.random.random() < 0.15:
                self.engine.compact(self.revision - self.engine.random.choice((0, 1, 3)))
            elif self.engine.random.random() < 0.3:
                self._follow()
            else:
                self._write()
        except JournalUnavailable:
            return
        except Compacted:
            self.start()
        finally:
            self.is_busy = False

    def _settle(self) -> bool:
        if self.waiting is None:
            return True
        try:
            is_there = self.journal.sharing.settle()
        except AppendUndecided:
            return False
        changes, _ = self.waiting
        self.waiting = None
        if is_there and changes[0].revision == self.revision + 1:
            self._take(changes)
        return True

    def _follow(self) -> None:
        self._take(self.journal.follow(self.revision))

    def _take(self, changes: "Iterator[Change] | list[Change]") -> None:
        for change in changes:
            assert change.revision == self.revision + 1, "a gap"
            self.documents[change.id] = change.after
            self.revision = change.revision

    def _write(self) -> None:
        self.count += 1
        command = f"{self.name}{self.count}"
        for _ in range(4):
            id = self.engine.random.choice(IDS)
            before = self.documents.get(id)
            after = (before or b"") + command.encode() + b","
            kind = "created" if before is None else "updated"
            change = Change(self.revision + 1, id, cast(Any, kind), 1, before, after)
            try:
                self.journal.append([change], after=self.revision)
            except AppendUndecided:
                if "same-token" in self.engine.rules:
                    self.waiting = ([change], command)
                    self.undecided.append(command)
                    return
                self.start()  # a mutation: decided anew, under another token
                continue
            except JournalConflict:
                self._follow()
                continue
            except JournalUnavailable:
                self.refused.append(command)
                raise
            self.acknowledged.append((change.revision, command))
            self._take([change])
            return
        self.refused.append(command)


def broken_promises(seed: int, rules: frozenset[str] = RULES) -> Counter[str]:
    """The promises that one history breaks."""
    engine = Engine(seed, rules)
    processes = [Process(name, engine) for name in "pqr"]
    depth = 0

    def elsewhere() -> None:
        nonlocal depth
        if depth < DEPTH_MAX and engine.random.random() < 0.25:
            depth += 1
            for _ in range(engine.random.choice((1, 1, 2, 6))):
                engine.random.choice(processes).step()
                engine.fault()
            depth -= 1

    engine.elsewhere = elsewhere
    found: Counter[str] = Counter()
    try:
        for _ in range(STEPS):
            engine.fault()
            process = engine.random.choice(processes)
            if engine.random.random() < 0.03 and not process.is_busy:
                process.start()
            process.step()
    except AssertionError:
        found["gap"] += 1
    return found + judged(engine, processes)


def judged(engine: Engine, processes: list[Process]) -> Counter[str]:
    """Hold what was acknowledged and refused against what is safe in the end."""
    engine.standby_is_cut = False
    state = engine.safe
    found: Counter[str] = Counter()
    written = [name for body in state.documents.values() if body for name in body.decode().split(",")[:-1]]
    times = Counter(written)
    for process in processes:
        found["lost"] += sum(times[command] == 0 for _, command in process.acknowledged)
        found["refused and done"] += sum(times[command] > 0 for command in process.refused)
    found["twice"] += sum(count > 1 for count in times.values())
    revisions = [revision for process in processes for revision, _ in process.acknowledged]
    found["one revision twice"] += len(revisions) - len(set(revisions))
    ends = sorted((first, entry["last"]) for first, entry in state.log.items())
    found["gap"] += sum(following != last + 1 for (_, last), (following, _) in pairwise(ends))
    return +found
