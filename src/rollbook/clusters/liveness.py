"""What the heartbeats of a cluster say about it, and when its document has to say so too.

One rule: time comes in as an argument. Seconds (``now``, ``beat_at``, ``listening_since``) are those of a clock that
only goes up; Unix times in milliseconds are for people to read, and nothing is decided by them.

Theory: a beat gives a lease of some seconds. Until half of it has passed the cluster is alive, until all of it late,
then silent; that is a fact about beats. What is written into the document is a second thing: the registry takes note of
a silence once, by a *mark* (another status over the former one), and takes its mark back when beats return. A registry
that was not listening can't tell silence from its own deafness: every lease counts anew from ``listening_since``, and
a cluster whose lease has run out is unknown until one lease length has passed since then.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct, field

from rollbook.clusters.large_documents import decode_stored
from rollbook.documents.editing import identical
from rollbook.documents.ordering import equal
from rollbook.documents.values import MISSING, Document, Maybe

Liveness: TypeAlias = Literal["alive", "late", "silent", "unknown"]
Step: TypeAlias = Literal["mark", "restore"]

TTL_SECONDS_MIN, TTL_SECONDS_DEFAULT, TTL_SECONDS_MAX = 1, 30, 86_400

MASS_CLUSTERS_MIN = 10
MASS_PERCENT = 30
MASS_WINDOW_SECONDS_MIN = 5.0

PAUSE_SECONDS = 1.0
"""Who has not looked at the clock for longer than this was not listening."""

CLOCK_JUMP_SECONDS = 1.0

FLAPPING_TURNS = 4
FLAPPING_WINDOW_SECONDS = 600
TURNS_KEPT = 20


STATUS = "status"
"""The field of a document that says how its cluster is."""

REGISTERED = "registered"
"""The status of a cluster that was never heard of: a heartbeat makes it live."""


def status_in(body: bytes | None) -> Maybe:
    """The status of a stored document; MISSING when it has none, or there is no document."""
    return MISSING if body is None else status_of(decode_stored(body))


def status_of(document: Document) -> Maybe:
    """The status of a document; MISSING when it has none."""
    return document.get(STATUS, MISSING)


def has_same_status(before: Document, after: Document) -> bool:
    """Whether a document keeps its status: the two would be written as the same JSON."""
    return identical(status_of(before), status_of(after))


class StatusOverride(Struct, frozen=True):
    """The status that the registry wrote for a silent cluster, and the one that it wrote it over (MISSING: none)."""

    written: str
    former: Maybe


class Lease(Struct, eq=False):
    """What the registry knows of one cluster's beats. ``life`` is the revision that created the cluster.

    ``noted``: the registry has taken note that the lease ran out. ``turns`` are the Unix times (ms) when the
    cluster fell silent or came back, the newest last. ``nodes`` says when each node was last reported present
    (seconds). ``mark_known``: it is certain whether there is a mark. ``own_since_ms``: since when (Unix ms) the
    status stands that a heartbeat has brought after it had been a mark: it is none any more. ``listed`` are the ids
    of the nodes that the document lists, as of the revision ``listed_at``; ``unknown_nodes`` those that the last
    heartbeat named and the document does not list. Containers are replaced, never changed: others may read them.
    """

    id: str
    life: int
    ttl_seconds: int
    beat_at: float
    observed_at_ms: int
    noted: bool = False
    mark: StatusOverride | None = None
    mark_known: bool = False
    own_since_ms: int | None = None
    turns: tuple[int, ...] = ()
    nodes: dict[str, float] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    listed_at: int = 0
    unknown_nodes: tuple[str, ...] = ()


def liveness_of(lease: Lease, now: float, listening_since: float) -> Liveness:
    """What the beats say of a cluster that has sent some."""
    if lease.noted:
        return "silent"
    return liveness_after(lease.beat_at, lease.ttl_seconds, now, listening_since)


def liveness_after(beat_at: float, ttl_seconds: int, now: float, listening_since: float) -> Liveness:
    """What a sign of life at ``beat_at`` says now: alive until half of the lease is past, late until all of it is."""
    age = now - beat_at
    if age <= ttl_seconds / 2:
        return "alive"
    if age <= ttl_seconds:
        return "late"
    return "silent" if now > runs_out_at(beat_at, ttl_seconds, listening_since) else "unknown"


def runs_out_at(beat_at: float, ttl_seconds: int, listening_since: float) -> float:
    """When a lease is over, counted from when the registry could last have heard a beat."""
    return max(beat_at, listening_since) + ttl_seconds


def has_run_out(lease: Lease, now: float, listening_since: float) -> bool:
    """Whether the lease is over, and the registry listened all the while."""
    return now > runs_out_at(lease.beat_at, lease.ttl_seconds, listening_since)


def step_due(lease: Lease, now: float, listening_since: float, *, held: bool) -> Step | None:
    """What is to be done to the document now. A mark waits while transitions are held; taking one back does not."""
    if lease.noted or has_run_out(lease, now, listening_since):
        return None if lease.noted or held else "mark"
    return "restore" if lease.mark is not None else None


def mark_after(
    mark: StatusOverride | None, before: Maybe, after: Maybe, *, by_registry: bool, unreachable: str
) -> StatusOverride | None:
    """The mark that stands after a change of status. A status that anybody else wrote leaves none to take back."""
    if equal(before, after):
        return mark
    return StatusOverride(unreachable, before) if by_registry and after == unreachable else None


def is_mass_silence(silent: int, under_lease: int) -> bool:
    """Whether enough of the clusters under lease fell silent within one window to suspect another cause."""
    return under_lease >= MASS_CLUSTERS_MIN and silent * 100 >= under_lease * MASS_PERCENT


def mass_window_seconds(ttl_seconds: int) -> float:
    """How long a silence counts towards a mass silence: what one cause ends, it ends within the length of a lease."""
    return max(MASS_WINDOW_SECONDS_MIN, ttl_seconds)


def turns_within(turns: Sequence[int], now_ms: int) -> int:
    """How often the cluster fell silent or came back within the window of flapping."""
    begin_ms = now_ms - FLAPPING_WINDOW_SECONDS * 1000
    return sum(begin_ms <= turn <= now_ms for turn in turns)


def is_flapping(turns: Sequence[int], now_ms: int) -> bool:
    """Whether the cluster falls silent and comes back again and again."""
    return turns_within(turns, now_ms) >= FLAPPING_TURNS


class ClockReading(Struct, frozen=True):
    """Both clocks at one moment: seconds that only go up, and Unix time (ms), which may jump."""

    seconds: float
    unix_ms: int


class Interruption(Struct, frozen=True):
    """Why silences are not known, and for how long, or how far (seconds; a jump back is negative)."""

    kind: Literal["paused", "clock-jumped"]
    seconds: float

    @property
    def sentence(self) -> str:
        """In words, for the log and for ``/readyz``."""
        if self.kind == "paused":
            return f"the registry was paused for {self.seconds:.1f} s"
        direction = "forward" if self.seconds > 0 else "back"
        return f"the clock jumped {direction} by {abs(self.seconds):.1f} s"


def interruption_between(before: ClockReading, now: ClockReading) -> Interruption | None:
    """What happened between two looks at the clocks that should be a moment apart; None when nothing did."""
    gap = now.seconds - before.seconds
    jump = (now.unix_ms - before.unix_ms) / 1000 - gap
    if abs(jump) > CLOCK_JUMP_SECONDS:
        return Interruption("clock-jumped", jump)
    return Interruption("paused", gap) if gap > PAUSE_SECONDS else None


def silence_reason(lease: Lease, now: float) -> str:
    """Why a status is written for a silent cluster."""
    return f"no heartbeat for {now - lease.beat_at:.1f} s; the lease was {lease.ttl_seconds} s"


LIVE_REASON = "the cluster sends heartbeats"
RETURN_REASON = "heartbeats are back; the former status is restored"
