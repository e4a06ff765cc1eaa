"""How much one request may ask for. Each limit is a number with its unit in its name; settings may change some.

MongoDB's own limits are kept where it has them (pattern length, pipeline stages, nesting), so that what it accepts is
accepted here too.
"""

import time
from collections.abc import Callable

from msgspec import Struct

from rollbook.errors import WorkExceeded
from rollbook.turns import give_way


class Limits(Struct, frozen=True):
    """Bounds on the size and shape of a request."""

    body_bytes_max: int = 8 * 1024 * 1024
    body_pause_seconds_max: float = 20.0
    body_depth_max: int = 128
    document_bytes_max: int = 16 * 1024 * 1024
    atomic_bytes_max: int = 64 * 1024 * 1024
    object_keys_max: int = 100_000
    id_length_max: int = 253
    kubernetes_id_length_max: int = 48
    filtered_writes_max: int = 10_000
    nodes_max: int = 100_000
    watchers_max: int = 4096
    watch_filter_bytes_max: int = 64 * 1024
    webhooks_max: int = 256
    filter_depth_max: int = 100
    filter_clauses_max: int = 20_000
    in_values_max: int = 100_000
    pattern_length_max: int = 32_764
    patterns_max: int = 250
    pattern_steps_max: int = 200_000
    update_changes_max: int = 20_000
    array_filters_max: int = 100
    backfill_elements_max: int = 1_500_000
    pipeline_stages_max: int = 1_000
    expression_depth_max: int = 150
    value_bytes_max: int = 16 * 1024 * 1024
    result_bytes_max: int = 512 * 1024 * 1024
    answer_bytes_max: int = 512 * 1024 * 1024
    max_time_ms: int = 10_000
    indexed_paths_max: int = 20_000
    indexed_members_max: int = 1_000
    indexed_text_length_max: int = 128
    indexed_array_values_max: int = 1_000


DEFAULT_LIMITS = Limits()

OUT_OF_TIME = "the request ran out of its time (maxTimeMS)"


class RequestBudget(Struct):
    """What one request may still spend: seconds until its deadline, and bytes that its expressions may make.

    ``clock`` gives seconds and only goes up. Evaluation calls ``spend`` where a request could make work grow
    (an element of ``$map``, a string of ``$concat``); the deadline is looked at every ``CHECK_EVERY`` units.
    """

    deadline: float = float("inf")
    bytes_left: int = DEFAULT_LIMITS.result_bytes_max
    clock: Callable[[], float] = time.monotonic
    _units_until_check: int = 0

    CHECK_EVERY = 1024
    UNITS_PER_SECOND = 2_500_000
    STEP_SECONDS_FREE = 0.25
    STEP_SECONDS_MAX = 2.0

    def spend(self, units: int = 1) -> None:
        """Count ``units`` of work; refuses (WorkExceeded) once the deadline has passed."""
        self._units_until_check -= units
        if self._units_until_check <= 0:
            self._units_until_check = self.CHECK_EVERY
            self.check()

    def reserve(self, seconds: float) -> None:
        """Count a step that can't be interrupted and takes at most ``seconds``.

        Refuses (WorkExceeded) one that may take longer than a single step may, or than there is time left. A step of
        at most STEP_SECONDS_FREE only has to begin in time: estimates are for the worst case, and most end far sooner.
        """
        if seconds > self.STEP_SECONDS_FREE:
            if seconds > self.STEP_SECONDS_MAX:
                raise WorkExceeded(
                    "a search of one text would take too long: simplify the regular expression, or shorten the text",
                    mongo_code=50,
                )
            if self.clock() + seconds > self.deadline:
                raise WorkExceeded(OUT_OF_TIME, mongo_code=50)
        self.spend(int(seconds * self.UNITS_PER_SECOND))

    def stop(self) -> None:
        """Let the request end, as out of time, at its next check. Safe to call from any thread."""
        self.deadline = float("-inf")

    def end_by(self, deadline: float) -> None:
        """Let the request end at ``deadline``, if it has not ended before. Safe to call from any thread."""
        self.deadline = min(self.deadline, deadline)

    def check(self) -> None:
        """Refuses (WorkExceeded) once the deadline has passed. Others who compute have their turn before."""
        give_way()
        if self.clock() > self.deadline:
            raise WorkExceeded(OUT_OF_TIME, mongo_code=50)

    def allocate(self, size_bytes: int) -> None:
        """Count bytes that an expression is about to make; refuses (WorkExceeded) when they are spent."""
        self.bytes_left -= size_bytes
        if self.bytes_left < 0:
            raise WorkExceeded("the request makes more data than one request may make", mongo_code=146)


def deadline_from_now(limits: Limits) -> float:
    """Until when a request that begins now may compute, in seconds of ``time.monotonic``."""
    return time.monotonic() + limits.max_time_ms / 1000


def budget_from_now(limits: Limits, *, max_time_ms: int | None = None) -> RequestBudget:
    """What a request may spend that begins now, and has ``max_time_ms`` (the limits' own when None)."""
    milliseconds = limits.max_time_ms if max_time_ms is None else max_time_ms
    return RequestBudget(deadline=time.monotonic() + milliseconds / 1000, bytes_left=limits.result_bytes_max)
