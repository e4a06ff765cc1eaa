"""An engine with a synchronous standby, simulated: what it shows is not yet safe, and its answers get lost.

It understands the statements of the journal, and nothing else. State changes are operations in one list, of which a
prefix is *safe* (every later primary has it). A commit is acknowledged when it is safe. Until then nobody sees it,
except after a crash and a restart of the primary, when all that was written is shown. A failover drops the rest.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeAlias
from uuid import UUID

import psycopg

from rollbook.errors import JournalUnavailable
from rollbook.journal.postgresql import appending, following, journal
from rollbook.journal.postgresql.past import MARK

GENESIS = UUID(int=0)
Stored: TypeAlias = tuple[Any, ...]
"""A row of the table ``clusters``, in the order of ``StoredVersion``; the body of what was deleted is None."""


class Lost(psycopg.OperationalError):
    """The connection was lost: nobody knows what became of the statement."""


@dataclass
class State:
    """What the tables hold: entries by their first revision, documents by id, and the mark."""

    log: dict[int, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, Stored] = field(default_factory=dict)
    mark: int = 0

    def copy(self) -> "State":
        return State(dict(self.log), dict(self.documents), self.mark)

    @property
    def newest(self) -> tuple[int, UUID, int, int]:
        last = max(self.log)
        entry = self.log[last]
        return entry["last"], entry["token"], entry["at_ms"], entry["total_bytes"]

    def append(self, parameters: dict[str, Any], *, checks_predecessor: bool = True) -> bool:
        """The statement APPEND; whether it was accepted."""
        after, first = parameters["after"], parameters["first"]
        found = any(e["last"] == after and e["token"] == parameters["previous"] for e in self.log.values())
        if (checks_predecessor and not found) or first in self.log:
            return False
        given = list(zip(*(parameters[f"d{place}"] for place in range(10)), strict=True))
        if checks_predecessor and not all(self._follows(id, expected) for id, expected, *_ in given):
            return False
        self.log[first] = parameters
        for id, _, _, *facts, body in given:
            stood = self.documents.get(id, (id, None, 0, 0, 0, 0, 0, False))
            kept = (new if new is not None else old for new, old in zip(facts, stood[2:], strict=True))
            self.documents[id] = (id, body, *kept)
        return True

    def _follows(self, id: str, expected: bytes | None) -> bool:
        body = self.documents[id][1] if id in self.documents else None
        return (None if body is None else sha256(body).digest()) == expected

    def compact(self, goal: int) -> None:
        last = max(self.log)
        for first in [first for first, entry in self.log.items() if entry["last"] <= goal and first != last]:
            self.mark = max(self.mark, self.log.pop(first)["last"])


class Engine:
    """The primary, its standby, and what happens to requests."""

    def __init__(self, seed: int, rules: frozenset[str]) -> None:
        self.random = random.Random(seed)
        self.rules = rules
        genesis = {"last": 0, "first": 0, "token": GENESIS, "previous": GENESIS, "at_ms": 0, "total_bytes": 0}
        start = State({0: {**genesis, "d0": [], "d9": [], "c": []}})
        self.safe, self.written = start, start.copy()
        self.shows_unsafe = False
        self.standby_is_cut = False
        self.generation = 0
        self.now = 0.0
        self.is_calm = False
        """Nothing happens any more."""
        self.history: dict[int, tuple[str, str, bool]] = {}
        """Of each revision: the cluster, the reason that was given, and whether the cluster is there after it."""
        self.delayed: list[dict[str, Any]] = []
        self.elsewhere: Callable[[], None] = lambda: None
        """Lets other processes take a step in the midst of this one's."""

    @property
    def seen(self) -> State:
        return self.written if self.shows_unsafe else self.safe

    def fault(self) -> None:
        """Something happens to the engine, or nothing."""
        if self.is_calm:
            return
        dice = self.random.random()
        if dice < 0.05:
            self.standby_is_cut = True
        elif dice < 0.15:
            self.standby_is_cut = False
            self._replicate()
        elif dice < 0.19:
            self.generation += 1
            self.shows_unsafe = self.written.log != self.safe.log
        elif dice < 0.23:
            self.generation += 1
            self.written, self.shows_unsafe, self.standby_is_cut = self.safe.copy(), False, False
        elif dice < 0.30 and self.delayed:
            self.write(self.delayed.pop(0))  # a request that its sender gave up long ago

    def write(self, parameters: dict[str, Any]) -> bool:
        if "predecessor" in self.rules:
            accepted = self.written.append(parameters)
        else:
            accepted = self.written.append(parameters, checks_predecessor=False)
        if accepted:
            changes = zip(*(parameters[f"c{place}"] for place in (0, 1, 2, 6)), strict=True)
            self.history |= {revision: (id, reason, kind != "deleted") for revision, id, kind, reason in changes}
        self._replicate()
        return accepted

    def calm_down(self) -> None:
        """The standby is there, and nothing happens any more."""
        self.is_calm, self.standby_is_cut = True, False
        self._replicate()

    def commit_waits(self) -> None:
        """A commit is acknowledged when the standby has it. Without a standby there is no answer."""
        self._replicate()
        if self.standby_is_cut:
            if "no-cancel" not in self.rules:
                self.shows_unsafe = True  # the wait is over: a commit that was cancelled in it is visible
                return
            raise Lost("the engine did not answer in time")

    def compact(self, goal: int) -> None:
        if not self.standby_is_cut:
            self.written.compact(goal)
            self._replicate()

    def _replicate(self) -> None:
        if not self.standby_is_cut:
            self.safe, self.shows_unsafe = self.written.copy(), False


class FakeSession:
    """A session of one process, as the journal uses it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.generation = engine.generation
        self.warnings: list[str] = []
        self.connection = self.info = self
        self.transaction_status = 0
        self.deadline = self.itersize = 0
        self.loaded: list[Stored] = []
        self.closed = False

    @property
    def is_open(self) -> bool:
        return not self.closed

    def has_ended(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True

    def register(self) -> None:
        if "register" in self.engine.rules:
            self.engine.commit_waits()

    @contextmanager
    def transaction(self, *, snapshot: bool) -> Iterator[None]:
        yield

    @contextmanager
    def cursor(self, name: str, *, binary: bool) -> Iterator["FakeSession"]:
        yield self

    def execute(self, statement: str) -> None:
        """Load, as of the moment in which the snapshot was begun: nothing has come in between."""
        assert statement is journal.LOAD
        rows = (row for row in self.engine.seen.documents.values() if row[1] is not None)
        self.loaded = sorted(rows, key=lambda row: row[3])

    def __iter__(self) -> Iterator[Stored]:
        return iter(self.loaded)

    @contextmanager
    def until(self, deadline: float | None = None) -> Iterator["FakeSession"]:
        yield self

    def rows(self, statement: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """What a statement gives; it, or its answer, may be lost, or other processes come in between."""
        engine = self.engine
        engine.now += 0.05
        engine.elsewhere()
        if self.generation != engine.generation:
            self.closed = True
            raise Lost("the connection was lost")
        dice = 0.5 if engine.is_calm else engine.random.random()
        if dice < 0.04:
            if statement is appending.APPEND and dice < 0.03:
                engine.delayed.append(parameters)
            raise Lost("the request was lost")
        answer = self._answer(statement, parameters)
        if dice > 0.96:
            raise Lost("the answer was lost")
        return answer

    def _answer(self, statement: str, parameters: Any) -> list[tuple[Any, ...]]:
        engine = self.engine
        if statement is appending.APPEND:
            accepted = engine.write(parameters)
            if accepted or engine.written.log.keys() != engine.seen.log.keys():  # refused by what nobody sees: it waits
                engine.commit_waits()
            return [()] if accepted else []
        state = engine.seen
        if statement is appending.LOOK:
            there = state.log.get(parameters[0])
            return [(there["token"] if there else None, *state.newest[:2], state.mark)]
        if statement is following.NEWEST:
            return [state.newest]
        if statement is MARK:
            return [(state.mark, 0, 0)]
        if statement is following.FOLLOW:
            return _page(state, parameters["after"])
        raise AssertionError(f"the simulated engine does not know {statement}")


def _page(state: State, after: int) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for first in sorted(state.log):
        entry = state.log[first]
        if entry["last"] <= after or "c0" not in entry:
            continue
        facts = (state.mark, first, entry["last"], entry["token"], entry["at_ms"], entry["total_bytes"])
        columns = [entry[f"c{place}"] for place in (0, 1, 2, 3, 5, 6, 7, 8, 9, 10)]
        later = (change for change in zip(*columns, strict=True) if change[0] > after)
        rows += [(*facts, entry["previous"], *change, *[None] * 6) for change in later]
    return rows or [(state.mark, *[None] * 22)]


def opened(engine: Engine, deadline: float | None) -> FakeSession:
    """A session that has registered. Fails as opening one does."""
    engine.now += 0.05
    session = FakeSession(engine)
    try:
        session.register()
    except Lost as lost:
        raise JournalUnavailable(str(lost)) from lost
    return session
