"""One scrape: the metrics of this moment, as Prometheus reads them.

Theory: what is held by the event loop is read on it, which takes well under a millisecond however many clusters there
are. Files, the store of webhooks and the process are asked on threads, and the text is made on one too.

One rule: a scrape leaves nothing behind. It has a registry of metrics of its own, not the one that the library shares.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from msgspec import Struct
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from rollbook.api.metrics.contents import CONTENTS, JOURNAL, WRITES
from rollbook.api.metrics.presence import PRESENCE
from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.api.metrics.rows import Metric, Scrape, Values
from rollbook.api.metrics.serving import REQUESTS, WATCHERS, WEBHOOKS
from rollbook.errors import JournalUnavailable
from rollbook.histograms import Histogram
from rollbook.journal.interface import Journal, Size
from rollbook.registry.registry import Registry
from rollbook.registry.webhooks.webhook_metrics import WebhookMetrics, metrics_of
from rollbook.registry.webhooks.webhooks import Webhooks
from rollbook.security.callers import Caller
from rollbook.security.security import Security

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
RESIDENT = "process_resident_memory_bytes"


class Scraper(Struct, frozen=True):
    """Scrapes one registry and what was asked of it."""

    registry: Registry
    security: Security
    traffic: RequestCounts

    async def text(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        process, size = await asyncio.to_thread(lambda: (process_families(), _size(self.registry.journal)))
        scrape = Scrape(
            self.registry,
            self.security,
            self.traffic.answers(),
            dict(self.traffic.direct),
            self.traffic.callers.counts(),
            len(self.traffic.running),
            dict(self.traffic.refusals),
            self.traffic.loop_lag,
            self.registry.liveness.metrics(),
            await _webhook_metrics(self.registry.webhooks),
            size,
            next((family.samples[0].value for family in process if family.name == RESIDENT), None),
        )
        collectors = CollectorRegistry(auto_describe=False)
        collectors.register(_Collector(scrape, process))
        return await asyncio.to_thread(generate_latest, collectors)


class _Collector(Collector):
    """Gives what was scraped to prometheus-client, in its words."""

    def __init__(self, scrape: Scrape, process: Sequence[Family]) -> None:
        self._scrape = scrape
        self._process = process

    def collect(self) -> Iterator[Family]:
        yield from self._process
        for metric in METRICS:
            yield _family(metric, metric.read(self._scrape))


def process_families() -> Sequence[Family]:
    """The metrics that prometheus-client has for any process, under their usual names."""
    return list(ProcessCollector(registry=None).collect())


def _family(metric: Metric, read: Values) -> Family:
    family: Any = FAMILIES[metric.kind](metric.name, metric.meaning, labels=metric.labels)
    by_labels = read if isinstance(read, Mapping) else {(): read}
    for labels, value in by_labels.items():
        values = (labels,) if isinstance(labels, str) else labels
        if isinstance(value, Histogram):
            buckets = list(zip((*map(str, value.bounds), "+Inf"), accumulate(value.counts), strict=True))
            family.add_metric(values, buckets, value.sum)
        elif value is not None:
            family.add_metric(values, value)
    assert isinstance(family, Family)
    return family


async def _webhook_metrics(webhooks: Webhooks) -> WebhookMetrics | None:
    try:
        return metrics_of(await webhooks.describe(Caller.FULL))
    except JournalUnavailable:  # metrics are read when something is wrong: the others are reported all the same
        return None


def _size(journal: Journal) -> Size | None:
    try:
        return journal.inspection.size()
    except JournalUnavailable:
        return None


FAMILIES = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily, "histogram": HistogramMetricFamily}

METRICS = (*CONTENTS, *JOURNAL, *WRITES, *REQUESTS, *WATCHERS, *WEBHOOKS, *PRESENCE)
