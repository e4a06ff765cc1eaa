"""Holds a recorded history of many clients against what every process promises.

Every write appends its own name to the list of one cluster, so a cluster's list in the end is the order in which its
writes took effect, and every earlier state is a beginning of it. No search is needed.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Outcome = Literal["done", "refused", "unknown"]


class Write(NamedTuple):
    """A write of ``name`` to a cluster: when it was sent and answered, and the revision that it was given."""

    cluster: str
    name: str
    sent: float
    answered: float
    outcome: Outcome
    revision: int = 0


class Read(NamedTuple):
    """What a read returned; ``strong``: it was to see all that was acknowledged before it was sent."""

    cluster: str
    names: Sequence[str]
    sent: float
    strong: bool


def problems_in(writes: Sequence[Write], reads: Sequence[Read], final: Mapping[str, Sequence[str]]) -> list[str]:
    """The broken promises, a sentence each."""
    found: list[str] = []
    times = Counter(name for names in final.values() for name in names)
    for write in writes:
        count = times[write.name]
        if write.outcome == "done" and count != 1:
            found.append(f"{write.name} was acknowledged and is there {count} times")
        if write.outcome == "refused" and count:
            found.append(f"{write.name} was refused and is there")
        if count > 1:
            found.append(f"{write.name} is there {count} times")
    return [*found, *_order_of_writes(writes), *_order_of_reads(writes, reads, final)]


def _order_of_writes(writes: Sequence[Write]) -> list[str]:
    """A write's revision is its own, and exceeds every revision that was acknowledged before it was sent."""
    done = sorted((write for write in writes if write.outcome == "done"), key=lambda write: write.answered)
    found = [
        f"revision {each} was given twice" for each, count in Counter(w.revision for w in done).items() if count > 1
    ]
    newest, place = 0, 0
    for write in sorted(done, key=lambda write: write.sent):
        while place < len(done) and done[place].answered < write.sent:
            newest = max(newest, done[place].revision)
            place += 1
        if write.revision <= newest:
            found.append(
                f"{write.name} has revision {write.revision}, and {newest} was acknowledged before it was sent"
            )
    return found


def _order_of_reads(writes: Sequence[Write], reads: Sequence[Read], final: Mapping[str, Sequence[str]]) -> list[str]:
    places = {name: place for names in final.values() for place, name in enumerate(names)}
    acknowledged: dict[str, list[Write]] = defaultdict(list)
    for write in writes:
        if write.outcome == "done":
            acknowledged[write.cluster].append(write)
    found: list[str] = []
    for read in reads:
        if list(read.names) != list(final[read.cluster][: len(read.names)]):
            found.append(f"a read of {read.cluster} returned what never was")
        if read.strong:
            before = [write for write in acknowledged[read.cluster] if write.answered < read.sent]
            missed = [write.name for write in before if places.get(write.name, 0) >= len(read.names)]
            if missed:
                found.append(f"a strong read of {read.cluster} missed {missed[:3]}")
    return found
