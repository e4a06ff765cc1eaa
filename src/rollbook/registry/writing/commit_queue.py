"""The queue of commands that wait to be committed, shared fairly by their callers.

Theory: each caller has a queue of its own, and a batch takes one command of each in turn. So a caller who sends one at
a time waits for one batch, however many another has sent before. What keeps a fleet alive, heartbeats and the nodes of
clusters, has a lane of its own, and goes first.

One rule: while others wait, no caller has more than a quarter of a batch. The commands of one caller in one lane keep
their order. Writes that are done together, and new clusters that have one answer, have batches of their own, every
second one at most while others wait.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from time import time_ns

from rollbook.registry.writing.submissions import (
    BATCH_BYTES_MAX,
    AnySubmission,
    Batch,
    Creations,
    Submission,
    Together,
    commands_in,
)

URGENT = frozenset({"heartbeat", "nodes"})
"""The verbs of what has the lane of its own."""
SHARE = 4
"""While others wait, a caller has one part of a batch in this many."""
URGENT_SHARE = 2
"""While other commands wait, the urgent ones have one part in this many."""


class CommitQueue:
    """Commands in the order in which they are to be decided."""

    def __init__(self) -> None:
        self._first: deque[Submission] = deque()
        self._urgent, self._ordinary = _Lane(), _Lane()
        self._sets: deque[Together | Creations] = deque()
        self._took_set = False

    def __len__(self) -> int:
        return self._single + commands_in(self._sets)

    def __bool__(self) -> bool:
        return bool(self._ordinary.callers or self._urgent.callers or self._first or self._sets)

    def __iter__(self) -> Iterator[AnySubmission]:
        return chain(self._first, self._urgent, self._ordinary, self._sets)

    @property
    def _single(self) -> int:
        return len(self._first) + len(self._urgent) + len(self._ordinary)

    def put(self, submission: AnySubmission) -> None:
        """Add a command, or some that are done together."""
        if submission.steps is not None:
            submission.queued_ns = time_ns()
        if not isinstance(submission, Submission):
            self._sets.append(submission)
        else:
            lane = self._urgent if submission.write.command.verb in URGENT else self._ordinary
            lane.put(submission)

    def put_back(self, submissions: Iterable[Submission]) -> None:
        """Add commands that have waited before: they come first, in this order."""
        self._first.extendleft(reversed([*submissions]))

    def take(self, most: int) -> Batch:
        """Remove the next batch: at least one command, if there is one, and at most ``most``, or one set of them."""
        self._took_set = bool(self._sets) and not (self._took_set and self._single)
        if self._took_set:
            first = self._sets.popleft()
            return [first] if isinstance(first, Together) else self._with_following(first, most)
        taken = [self._first.popleft() for _ in range(min(len(self._first), most))]
        share = most // SHARE if len({*self._urgent.callers, *self._ordinary.callers}) > 1 else most
        room, had = most - len(taken), Counter[str]()
        self._urgent.move(taken, room // URGENT_SHARE if len(self._ordinary) else room, share=share, had=had)
        self._ordinary.move(taken, most - len(taken), share=share, had=had)
        return taken

    def _with_following(self, first: Creations, most: int) -> Sequence[Creations]:
        """The new clusters, and those behind them as far as one batch holds them all."""
        taken, room, room_bytes = [first], most - len(first.commands), BATCH_BYTES_MAX - first.size_bytes
        while self._sets and isinstance(following := self._sets[0], Creations):
            room, room_bytes = room - len(following.commands), room_bytes - following.size_bytes
            if min(room, room_bytes) < 0:
                break
            taken.append(following)
            self._sets.popleft()
        return taken


class _Lane:
    """The commands of one urgency, by caller; callers in the order of their turns."""

    def __init__(self) -> None:
        self.callers: dict[str, deque[Submission]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Submission]:
        return chain.from_iterable(self.callers.values())

    def put(self, submission: Submission) -> None:
        caller = submission.write.caller.key or submission.write.caller.name
        self.callers.setdefault(caller, deque()).append(submission)
        self._count += 1

    def move(self, to: list[Submission], most: int, *, share: int, had: Counter[str]) -> None:
        """Move at most ``most`` commands, one of each caller in turn, until a caller ``had`` its share of the batch."""
        turns = deque(self.callers)
        while turns and most > 0:
            caller = turns.popleft()
            if had[caller] >= share:
                continue
            commands = self.callers.pop(caller)
            to.append(commands.popleft())
            had[caller] += 1
            most -= 1
            self._count -= 1
            if commands:
                self.callers[caller] = commands  # behind those whose turn is next
                turns.append(caller)
