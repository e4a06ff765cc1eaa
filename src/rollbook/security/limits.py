"""Limits of callers; and rates: how many requests a second one may send, by the generic cell rate algorithm (GCRA).

Theory: a bucket is one number, the theoretical arrival time of the next request at the agreed rate. A request may come
early by as much as a burst lasts; each one that is let through moves the time on by one interval. Nothing ticks, and a
bucket that has rested is as good as new.

One rule: a request that is refused costs the caller nothing.
"""

from collections.abc import Hashable, Iterable
from functools import cached_property
from heapq import nlargest
from ipaddress import IPv6Address
from math import ceil
from operator import itemgetter

from msgspec import Struct

from rollbook.documents.values import Document

REQUESTS_MAX, WATCHES_MAX = 1_000_000, 1_000_000


class CallerLimits(Struct, frozen=True):
    """How many requests a second a caller may send, and how many watches it may have; None: nothing is said of it."""

    requests_per_second: float | None = None
    watches_max: int | None = None

    def as_json(self) -> Document:
        """The limits as the API answers them: those that there are."""
        members = {"requestsPerSecond": self.requests_per_second, "watchesMax": self.watches_max}
        return {name: member for name, member in members.items() if member is not None}

    def or_else(self, other: "CallerLimits") -> "CallerLimits":
        """These limits, and those of ``other`` where nothing is said here."""
        per_second, watches_max = self.requests_per_second, self.watches_max
        return CallerLimits(
            other.requests_per_second if per_second is None else per_second,
            other.watches_max if watches_max is None else watches_max,
        )


def widest(limits: Iterable[CallerLimits]) -> CallerLimits:
    """The limits of a caller who has several: roles add up, so the highest of each kind."""
    known = list(limits)
    return CallerLimits(
        max((each.requests_per_second for each in known if each.requests_per_second is not None), default=None),
        max((each.watches_max for each in known if each.watches_max is not None), default=None),
    )


class Rate(Struct, frozen=True, dict=True):
    """At most ``per_second`` requests on average, and ``burst`` at once."""

    per_second: float
    burst: int

    @classmethod
    def of(cls, per_second: float) -> "Rate":
        """A rate whose burst is what it allows in a second."""
        return cls(per_second, max(1, ceil(per_second)))

    @property
    def interval(self) -> float:
        """Seconds between two requests at this rate."""
        return 1.0 / self.per_second

    @cached_property
    def early_seconds(self) -> float:
        """How long before its time a request may come, which is when one interval is left of a burst."""
        return (self.burst - 1) * self.interval + 1e-9


class Verdict(Struct, frozen=True):
    """Whether a request is let through, how many more would be now, and when the bucket is full again (seconds).

    ``retry_seconds`` is when the next request would be let through; 0 for one that was.
    """

    allowed: bool
    remaining: int
    reset_seconds: float
    retry_seconds: float = 0.0

    def headers(self, rate: Rate, *, policy: str = "requests") -> dict[str, str]:
        """The headers that say so: ``RateLimit`` and ``RateLimit-Policy``, and ``Retry-After`` on a refusal.

        ``policy`` names what is limited.
        """
        window = ceil(rate.burst * rate.interval)
        fields = {
            "ratelimit-policy": f'"{policy}";q={rate.burst};w={window}',
            "ratelimit": f'"{policy}";r={self.remaining};t={ceil(self.reset_seconds)}',
        }
        return fields if self.allowed else {**fields, "retry-after": str(max(1, ceil(self.retry_seconds)))}


def host_of(address: str) -> str:
    """What stands for one host in a count of addresses: of IPv6 its network of 64 bits, for a host may have it all."""
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(parsed.ipv4_mapped or parsed.packed[:8].hex())


class Buckets:
    """The buckets of all callers, at most KEPT_MAX. ``now`` is in seconds of a clock that only goes up."""

    KEPT_MAX = 65_536

    def __init__(self) -> None:
        self._arrivals: dict[Hashable, float] = {}

    def take(self, key: Hashable, rate: Rate, now: float) -> Verdict:
        """Let one request of ``key`` through, or refuse it."""
        burst_seconds = rate.burst * rate.interval
        arrival = max(self._arrivals.get(key, now), now)
        next_arrival = arrival + rate.interval
        if arrival - now > rate.early_seconds:
            return Verdict(False, 0, arrival - now, next_arrival - now - burst_seconds)
        self._arrivals[key] = next_arrival
        if len(self._arrivals) > self.KEPT_MAX:
            self._forget_rested(now)
        remaining = int((burst_seconds - (next_arrival - now)) * rate.per_second + 1e-9)
        return Verdict(True, remaining, next_arrival - now)

    def refuses(self, key: Hashable, rate: Rate, now: float) -> bool:
        """Whether a request of ``key`` would be refused now."""
        arrival = self._arrivals.get(key)
        return arrival is not None and arrival - now > rate.early_seconds

    def _forget_rested(self, now: float) -> None:
        """Forget the buckets that are full again, for a new one is the same; of others the half that will be soonest.

        Half, so that what is looked through is paid for by as many new callers.
        """
        busy = {key: arrival for key, arrival in self._arrivals.items() if arrival > now}
        if len(busy) > self.KEPT_MAX // 2:
            busy = dict(nlargest(self.KEPT_MAX // 2, busy.items(), key=itemgetter(1)))
        self._arrivals = busy
