"""A process of a simulated history: the real committer and the real journal, and all that it was answered.

Without a rule of the protocol, a process is what it would be if nobody had thought of that rule.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, ClassVar, NamedTuple, cast

from msgspec import Struct

from rollbook.documents.codec import decode_json, encode_json
from rollbook.documents.values import Document
from rollbook.errors import AppendUndecided, ClusterExists, ClusterNotFound, JournalConflict, JournalUnavailable
from rollbook.journal.changes import Change, StoredVersion
from rollbook.journal.interface import Sharing
from rollbook.journal.postgresql.batches import Position
from rollbook.journal.postgresql.connecting import Session, Sessions
from rollbook.journal.postgresql.journal import PostgresqlJournal
from rollbook.journal.postgresql.schema import Identity
from rollbook.journal.postgresql.writing import EngineWriter
from rollbook.limits import RequestBudget
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.writing.commands import Command, Create, Current, Decision, Delete
from rollbook.registry.writing.committing import Committer, WriteResult
from rollbook.security.callers import Caller
from rollbook.view.views import View
from tests.journal.simulation.engine import GENESIS, Engine, opened
from tests.journal.simulation.loops import SteppedLoop

IDS = "abc"
WAITING_MAX = 4


class Increment(Struct, frozen=True):
    """Count what was written to a cluster; no document is judged, which would take most of a history's time."""

    id: str
    verb: ClassVar[str] = "update"

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None:
            raise ClusterNotFound(f"no cluster has the id {self.id!r}")
        return Decision("updated", encode_json({"id": self.id, "turn": decode_json(current.body)["turn"] + 1}))

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        return before


class Answer(NamedTuple):
    """What a command was answered: its revision, or the refusal.

    ``seen``: the newest revision that anybody was acknowledged before it was sent; ``newest``: the newest safe one when
    it was answered.
    """

    id: str
    name: str
    seen: int
    newest: int
    revision: int
    refusal: BaseException | None


class Process:
    """One process: its view, its committer, and what it was asked and answered. It may be killed at any time."""

    def __init__(self, name: str, engine: Engine, answers: list[Answer]) -> None:
        self.name = name
        self.engine = engine
        self.answers = answers
        self.count = 0
        self.waiting = 0
        self.start()

    def start(self) -> None:
        """Begin anew with what is safe; what was under way has no answer."""
        self.loop, self.waiting = SteppedLoop(self.engine), 0
        self.journal = journal_on(self.engine)
        self.view = View(indexed=False)
        rows = (row for row in self.engine.safe.documents.values() if row[1] is not None)
        self.view.load(map(StoredVersion._make, sorted(rows, key=lambda row: row[3])), self.journal.newest())
        with self.loop.entered():
            self.committer = Committer(
                self.journal, self.view, RecentChanges(self.view.revision), now_ms=lambda: 1_000,
                chance=self.engine.random.random, loading=self._loaded,
            )  # fmt: skip
            self.loop.create_task(self.committer.__aenter__())
        self.run(2)

    def end(self) -> None:
        """As kill -9 does: nothing of it goes on."""
        loop, self.loop = self.loop, SteppedLoop(self.engine)
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            with loop.entered():
                cast(Coroutine[Any, Any, Any], task.get_coro()).close()
        loop.close()

    @property
    def is_idle(self) -> bool:
        """Whether no statement is under way, so that it may be killed."""
        return not self.loop.is_working

    def step(self) -> None:
        """Some time passes: commands come, news comes, or what is under way goes on."""
        dice = self.engine.random.random()
        if dice < 0.05:
            self.engine.compact(self.view.revision - self.engine.random.choice((0, 1, 3)))
        elif dice < 0.2:
            self.hear()
        elif dice < 0.6 and self.waiting < WAITING_MAX:
            for _ in range(self.engine.random.choice((1, 1, 2, 3))):
                self.send()
        self.run(self.engine.random.choice((1, 4, 20)))

    def hear(self) -> None:
        """News of what the engine shows."""
        with self.loop.entered():
            self.committer.follow_up_to(self.engine.seen.newest[0])

    def run(self, steps: int) -> None:
        """Run that many callbacks, or as many as there are."""
        for _ in range(steps):
            if not self.loop.step():
                return

    def send(self) -> None:
        """A command of a client."""
        self.count, self.waiting = self.count + 1, self.waiting + 1
        id, name = self.engine.random.choice(IDS), f"{self.name}{self.count}"
        seen, loop = max((answer.revision for answer in self.answers), default=0), self.loop

        def answered(answer: "asyncio.Future[WriteResult]") -> None:
            if loop is not self.loop:  # nobody heard it
                return
            refusal = answer.exception()
            revision = 0 if refusal is not None else answer.result().revision
            self.answers.append(Answer(id, name, seen, self.engine.safe.newest[0], revision, refusal))
            self.waiting -= 1

        with loop.entered():
            self.committer.submit(Caller.FULL, self._command(id), reason=name).add_done_callback(answered)

    def _command(self, id: str) -> Command:
        dice = self.engine.random.random()
        if dice < 0.25:
            return Create(id, encode_json({"id": id, "turn": 0}))
        return Delete(id) if dice < 0.4 else Increment(id)

    def _loaded(self) -> View:
        fresh = View(indexed=False)
        versions = self.journal.load()
        fresh.load(versions, self.journal.newest())
        return fresh


def journal_on(engine: Engine) -> PostgresqlJournal:
    """The real journal on a simulated engine, without the rules that the engine's history is without."""

    def open_session(deadline: float | None) -> Session:
        return cast(Session, opened(engine, deadline))

    def sleep(seconds: float) -> None:
        engine.now += seconds
        engine.fault()

    writer = EngineWriter(open_session, seconds=1.0, clock=lambda: engine.now, sleep=sleep, chance=engine.random.random)
    kind = PostgresqlJournal if "same-token" in engine.rules else _Forgetful
    newest = Position(*engine.safe.newest)
    readers = Sessions(cast(Any, open_session), kept_max=1)
    journal = kind(Identity(GENESIS, b""), newest, target="", writer=writer, readers=readers)
    if "confirm" not in engine.rules:
        journal.sharing = _Trusting(journal.sharing)
    return journal


class _Forgetful(PostgresqlJournal):
    """An append without an answer is decided again, under another token."""

    def append(self, changes: Sequence[Change], *, after: int, **more: Any) -> None:
        try:
            super().append(changes, after=after, **more)
        except AppendUndecided as undecided:
            self._writer._undecided = None
            raise JournalConflict(undecided.message) from undecided


class _Trusting:
    """A refusal is believed without a question."""

    def __init__(self, sharing: Sharing) -> None:
        self.settle, self.newest = sharing.settle, sharing.newest

    def confirm(self, after: int) -> int:
        return after


NOT_DONE = (ClusterExists, ClusterNotFound, JournalConflict, JournalUnavailable)
"""Refusals after which nothing of a command may be there."""
