"""The metrics of a server as ``doctor`` reads them: samples, their sums, and quantiles of histograms.

One rule: counters and histograms are those since the server started, or those between two scrapes (``since``).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
COUNTERS = ("_total", "_bucket", "_count", "_sum")

Labels: TypeAlias = tuple[tuple[str, str], ...]


class Histogram(NamedTuple):
    """``below[n]``: how many values are at most ``bounds[n]``, the last of which is infinite."""

    bounds: tuple[float, ...]
    below: tuple[float, ...]

    @property
    def total(self) -> float:
        """How many values there are."""
        return self.below[-1] if self.below else 0.0

    def quantile(self, share: float) -> float:
        """The value below which this share of all lies, as Prometheus estimates it; 0 where there are none.

        The highest finite bound where the value is over it.
        """
        if not self.total:
            return 0.0
        wanted, lower, before = share * self.total, 0.0, 0.0
        for bound, below in zip(self.bounds, self.below, strict=True):
            if below >= wanted and below > before:
                return (
                    lower if bound == float("inf") else lower + (bound - lower) * (wanted - before) / (below - before)
                )
            lower, before = (lower if bound == float("inf") else bound), below
        return lower


class Metrics:
    """One scrape: samples by their names and labels."""

    def __init__(self, samples: Mapping[tuple[str, Labels], float]) -> None:
        self._samples = samples

    def value(self, name: str, **labels: str) -> float | None:
        """The sum of all samples of this name with these labels; None where there are none."""
        found = [value for given, value in self._named(name) if labels.items() <= given.items()]
        return sum(found) if found else None

    def by(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """The sums of the samples of this name with these labels, by another label."""
        sums: dict[str, float] = {}
        for given, value in self._named(name):
            if labels.items() <= given.items() and label in given:
                sums[given[label]] = sums.get(given[label], 0.0) + value
        return sums

    def histogram(self, name: str, **labels: str) -> Histogram:
        """The histogram of this name, over all others of its labels."""
        below = {float(bound): count for bound, count in self.by("le", f"{name}_bucket", **labels).items()}
        return Histogram(tuple(sorted(below)), tuple(below[bound] for bound in sorted(below)))

    def since(self, earlier: "Metrics") -> "Metrics":
        """What was counted since an earlier scrape of the same process; gauges as they are now."""
        return Metrics(
            {
                key: value - earlier._samples.get(key, 0.0) if key[0].endswith(COUNTERS) else value
                for key, value in self._samples.items()
            }
        )

    def _named(self, name: str) -> list[tuple[dict[str, str], float]]:
        return [(dict(labels), value) for (each, labels), value in self._samples.items() if each == name]


def parse_metrics(text: str) -> Metrics:
    """The samples of an answer to ``GET /metrics``; lines that are none are passed over."""
    samples: dict[tuple[str, Labels], float] = {}
    for line in text.splitlines():
        found = SAMPLE.fullmatch(line)
        if found is not None:
            name, labels, value = found.groups()
            samples[name, tuple(LABEL.findall(labels or ""))] = float(value)
    return Metrics(samples)
