"""The plot of a result: requests per second of every contestant, a panel a workload, on a logarithmic scale."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from benchmarks.serving.results import Result
from benchmarks.serving.workloads import WORKLOADS

OWN_COLOUR, OTHERS_COLOUR, COLUMNS = "#1b6f5c", "#a9b4b0", 4


def plot(result: Result, file: Path) -> None:
    """Draw it into a PNG file."""
    mpl.use("Agg")
    shown = [workload for workload in WORKLOADS if workload.name in result.figures]
    rows = -(-len(shown) // COLUMNS)
    figure = Figure(figsize=(16, 3.1 * rows), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).flatten().tolist()
    for panel in panels:
        panel.set_axis_off()
    for panel, workload in zip(panels, shown, strict=False):
        panel.set_axis_on()
        _draw(panel, result, workload.name, workload.title.replace("`", ""))
    figure.suptitle(f"Requests per second on one core, {result.clusters:,} clusters (logarithmic)")
    figure.savefig(file, dpi=90, metadata={"Software": None})


def _draw(panel: Axes, result: Result, workload: str, title: str) -> None:
    rates = {
        name: rate
        for name in reversed(list(result.titles))
        if (rate := result.figure(workload, name, "requests_per_second"))
    }
    colours = [OWN_COLOUR if name == "rollbook" else OTHERS_COLOUR for name in rates]
    bars = panel.barh(list(rates), list(rates.values()), color=colours)
    panel.bar_label(bars, [f" {rate:,.0f}" if rate >= 10 else f" {rate:.1f}" for rate in rates.values()], fontsize=8)
    panel.set_xscale("log")
    panel.set_xlim(min(rates.values(), default=1) / 4, max(rates.values(), default=1) * 8)
    panel.xaxis.set_major_locator(NullLocator())
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_title(title, fontsize=10)
    panel.tick_params(axis="both", labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)
