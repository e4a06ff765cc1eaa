"""The queue of commands that wait to be committed, shared fairly by their callers.

Theory: each caller has a queue of its own, and a batch takes one command of each in turn. So a caller who sends one at
a time waits for one batch, however many another has sent before. What keeps a fleet alive, heartbeats and the nodes of
clusters, has a lane of its own, and goes first.

One rule: while others wait, no caller has more than a quarter of a batch. The commands of one caller in one lane keep
their order. Writes that are done together have a batch of their own, every second one at most while others wait.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import chain
from time import time_ns

from rollbook.registry.writing.submissions import Batch, Submission, Together

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
        self._together: deque[Together] = deque()
        self._took_together = False

    def __len__(self) -> int:
        return self._single + len(self._together)

    def __iter__(self) -> Iterator[Submission | Together]:
        return chain(self._first, self._urgent, self._ordinary, self._together)

    @property
    def _single(self) -> int:
        return len(self._first) + len(self._urgent) + len(self._ordinary)

    def put(self, submission: Submission | Together) -> None:
        """Add a command, or some that are done together."""
        if submission.steps is not None:
            submission.queued_ns = time_ns()
        if isinstance(submission, Together):
            self._together.append(submission)
        else:
            lane = self._urgent if submission.write.command.verb in URGENT else self._ordinary
            lane.put(submission)

    def put_back(self, submissions: Iterable[Submission]) -> None:
        """Add commands that have waited before: they come first, in this order."""
        self._first.extendleft(reversed([*submissions]))

    def take(self, most: int) -> Batch:
        """Remove the next batch: at least one command, if there is one, and at most ``most``, or one set of them."""
        self._took_together = bool(self._together) and not (self._took_together and self._single)
        if self._took_together:
            return [self._together.popleft()]
        taken = [self._first.popleft() for _ in range(min(len(self._first), most))]
        share = most // SHARE if len({*self._urgent.callers, *self._ordinary.callers}) > 1 else most
        room, had = most - len(taken), Counter[str]()
        self._urgent.move(taken, room // URGENT_SHARE if len(self._ordinary) else room, share=share, had=had)
        self._ordinary.move(taken, most - len(taken), share=share, had=had)
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
