"""Writing silences into documents, and taking that back when beats return.

One rule: a mark is a change like any other: it goes through the committer, and is decided on the newest document. What
came of it is then read off the changes (``status_overrides``), and the lease is asked again what it needs.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

from msgspec import Struct

from rollbook.clusters.acceptance import SchemaRules
from rollbook.clusters.liveness import (
    LIVE_REASON,
    REGISTERED,
    RETURN_REASON,
    ClockReading,
    Lease,
    StatusOverride,
    Step,
    has_run_out,
    silence_reason,
    step_due,
)
from rollbook.errors import JournalUnavailable, RegistryError
from rollbook.limits import Limits
from rollbook.registry.liveness.leases import Leases
from rollbook.registry.liveness.status_commands import NOT_DUE, GoLive, MarkUnreachable, RestoreStatus, SetStatus
from rollbook.registry.liveness.status_overrides import REGISTRY, StatusOverrides
from rollbook.registry.writing.committing import Committer
from rollbook.security.callers import Caller
from rollbook.view.entries import Entry

logger = logging.getLogger(__name__)

FAILING_SECONDS = 1.0
"""How long the registry waits before it writes for itself again, after the disk refused."""

STEPS_MAX = 8
"""How often a lease is asked at a time; one whose document changes all the while is asked again at the next look."""


THE_REGISTRY = Caller(REGISTRY, "registry")


class StatusRules(Struct, frozen=True):
    """How a status is written: which one for the unreachable, which one for those that are heard first (empty: none),
    and what every document has to obey.
    """

    unreachable: str
    live: str
    schema: SchemaRules
    limits: Limits


class Marking:
    """Does to the documents what the leases ask for, a task for each lease that asks."""

    def __init__(
        self,
        leases: Leases,
        marks: StatusOverrides,
        committer: Committer,
        rules: StatusRules,
        *,
        read_clocks: Callable[[], ClockReading],
    ) -> None:
        self.marked = 0
        self.restored = 0
        self._leases = leases
        self._marks = marks
        self._committer = committer
        self._rules = rules
        self._read_clocks = read_clocks
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._failing_until = float("-inf")

    async def set_status(
        self, caller: Caller, lease: Lease, entry: Entry, status: str, *, reason: str | None = None
    ) -> None:
        """Write the status that a beat brings, when it differs. It stands: no mark is taken back after it."""
        if self._marks.status_of(entry) != status or not caller.access.is_unbounded("heartbeat"):
            command = SetStatus(entry.id, status, self._rules.schema, self._rules.limits)
            await self._committer.submit(caller, command, reason=reason)
            self._marks.catch_up(self._read_clocks())
        elif lease.mark is not None or not lease.mark_known:
            lease.own_since_ms = entry.status_since_ms
        self._marks.believe(lease, None)

    def awaits_heartbeat(self, entry: Entry) -> bool:
        """Whether the next heartbeat makes the cluster live."""
        return self._rules.live not in ("", REGISTERED) and self._marks.status_of(entry) == REGISTERED

    def goes_live(self, lease: Lease, entry: Entry) -> bool:
        """Whether the cluster is registered and heard, and its status shall say so."""
        if lease.noted or not self.awaits_heartbeat(entry):
            return False
        now = self._read_clocks().seconds
        return not has_run_out(lease, now, self._leases.listening_since(now))

    async def settle(self, lease: Lease) -> None:
        """Do to the document what the lease asks for. Returns when that is durable, or when it has to wait."""
        if self._read_clocks().seconds < self._failing_until:
            self._again.add(lease.id)
        else:
            await asyncio.shield(self._begin(lease))

    def look(self, due: Iterable[Lease], at: ClockReading) -> None:
        """Begin to settle what is due, and what could not be settled before."""
        if at.seconds < self._failing_until:
            return
        again, self._again = self._again, set()
        for lease in (*due, *filter(None, map(self._leases.get, again))):
            self._begin(lease)

    async def finish(self) -> None:
        """Return when all that has begun has come to its end."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _begin(self, lease: Lease) -> asyncio.Task[None]:
        task = self._tasks.get(lease.id)
        if task is None:
            task = self._tasks[lease.id] = asyncio.create_task(self._settle(lease))
            task.add_done_callback(lambda _: self._tasks.pop(lease.id, None))
        return task

    async def _settle(self, lease: Lease) -> None:
        try:
            for _ in range(STEPS_MAX):
                if not await self._settle_once(lease):
                    return
            self._again.add(lease.id)
        except JournalUnavailable as problem:
            self._again.add(lease.id)
            self._failing_until = self._read_clocks().seconds + FAILING_SECONDS
            logger.warning("the status of %s could not be written: %s", lease.id, problem.message)
        except RegistryError as refusal:
            logger.warning("the status of %s is left as it is: %s", lease.id, refusal.message)
            self._marks.believe(lease, None)
            if self._step(lease) == "mark":
                self._leases.note(lease, self._read_clocks())

    async def _settle_once(self, lease: Lease) -> bool:
        """Take the step that the lease needs next; whether it may need another."""
        self._marks.catch_up(self._read_clocks())
        if not lease.mark_known:
            await self._marks.learn(lease)
            return True
        match self._step(lease):
            case "mark":
                await self._mark(lease)
            case "restore" if lease.mark is not None:
                await self._restore(lease, lease.mark)
            case _:
                return await self._go_live(lease)
        return True

    def _step(self, lease: Lease) -> Step | None:
        if self._leases.get(lease.id) is not lease:
            return None
        now = self._read_clocks().seconds
        return step_due(lease, now, self._leases.listening_since(now), held=self._leases.holds.mass is not None)

    async def _mark(self, lease: Lease) -> None:
        beat_at, rules = lease.beat_at, self._rules
        reason = silence_reason(lease, self._read_clocks().seconds)

        def is_due() -> bool:
            return lease.beat_at == beat_at and self._step(lease) == "mark"

        command = MarkUnreachable(lease.id, rules.unreachable, is_due, rules.schema, rules.limits)
        stored = await self._committer.submit(THE_REGISTRY, command, reason=reason)
        at = self._read_clocks()
        self._marks.catch_up(at)
        if stored.kind is not None:
            self.marked += 1
            logger.warning("cluster %s is unreachable: %s", lease.id, reason)
        if lease.beat_at == beat_at and stored.outcome != NOT_DUE:
            self._leases.note(lease, at)

    async def _go_live(self, lease: Lease) -> bool:
        """Write that a registered cluster is live; whether that was done."""
        entry, rules = self._marks.entry(lease.id), self._rules
        if entry is None or self._leases.get(lease.id) is not lease or not self.goes_live(lease, entry):
            return False
        command = GoLive(lease.id, rules.live, rules.schema, rules.limits)
        stored = await self._committer.submit(THE_REGISTRY, command, reason=LIVE_REASON)
        self._marks.catch_up(self._read_clocks())
        return stored.kind is not None

    async def _restore(self, lease: Lease, mark: StatusOverride) -> None:
        entry, rules = self._marks.entry(lease.id), self._rules
        if entry is None or self._marks.status_of(entry) != mark.written:
            self._marks.believe(lease, None)
            return
        command = RestoreStatus(lease.id, mark, entry.revision, rules.schema, rules.limits)
        stored = await self._committer.submit(THE_REGISTRY, command, reason=RETURN_REASON)
        self._marks.catch_up(self._read_clocks())
        if stored.kind is not None:
            self.restored += 1
            logger.info("cluster %s is back: %s", lease.id, RETURN_REASON)
