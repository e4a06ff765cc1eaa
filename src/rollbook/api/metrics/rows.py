"""What a metric is: a row of a table with its name, its meaning, and how it is read off a scrape.

One rule: reading is quick and bounded. What would take a walk over clusters, leases or files is in the scrape already,
or is a total that is kept where things happen; and no label has a value that a caller may choose.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from rollbook.api.metrics.request_counts import AnswerCounts
from rollbook.histograms import Histogram
from rollbook.journal.interface import Size
from rollbook.registry.liveness.lease_metrics import LeaseMetrics
from rollbook.registry.registry import Registry
from rollbook.registry.webhooks.webhook_metrics import WebhookMetrics
from rollbook.security.security import Security

MetricValue: TypeAlias = float | Histogram
Values: TypeAlias = MetricValue | Mapping[Any, MetricValue] | None
"""One value; or one for each value of the label, or for each tuple of values of the labels; None: not known."""


class Scrape(Struct, frozen=True):
    """What is known at one moment. ``size`` and ``webhooks`` are None when the disk can't be asked.

    ``resident_bytes`` is None where the system does not report it.
    """

    registry: Registry
    security: Security
    answers: Mapping[AnswerCounts, Histogram]
    direct: Mapping[str, int]
    callers: Mapping[tuple[str, str], int]
    running: int
    refusals: Mapping[tuple[str, str], int]
    loop_lag: Histogram
    leases: LeaseMetrics
    webhooks: WebhookMetrics | None
    size: Size | None
    resident_bytes: float | None


class Metric(Struct, frozen=True):
    """One metric. A counter only grows until the process ends, and its name ends in ``_total``."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    meaning: str
    read: Callable[[Scrape], Values]
    labels: tuple[str, ...] = ()
