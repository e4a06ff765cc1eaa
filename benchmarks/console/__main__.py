"""Measures the console in Chromium, and writes benchmarks/results/console.md.

python -m benchmarks.console [CLUSTERS ...] [--seconds N]
"""

import argparse
import asyncio
import tempfile
import time
from itertools import islice
from pathlib import Path
from threading import Thread

import httpx
import orjson
from playwright.sync_api import Browser, sync_playwright

from benchmarks.console.measuring import CONSOLE, DOCUMENTS, Times, times_of, under_changes
from benchmarks.generating import clusters
from benchmarks.machine import description_with_load
from rollbook.client import AsyncClient
from tests.console.conftest import ARGUMENTS, CHROMIUM
from tests.serving import ServerProcess

RESULTS = Path(__file__).parents[1] / "results" / "console.md"
SIZES = (10_000, 100_000)
CHANGES_PER_SECOND = 2_000
LINES = 500
NDJSON = {"content-type": "application/x-ndjson"}
UPDATE = {"$inc": {"reputation": 1}}
DOCUMENTS_TIMES = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--seconds", type=float, default=60, help="how long changes come in")
    asked = parser.parse_args()
    rows, machine = list[str](), description_with_load()
    with sync_playwright() as playwright:
        flags = [*ARGUMENTS, "--enable-precise-memory-info"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        for size in asked.sizes:
            with tempfile.TemporaryDirectory() as place, ServerProcess(Path(place, "data")) as server:
                fill(server.url, size)
                rows += measured(browser, server.url, size, seconds=asked.seconds)
        browser.close()
    RESULTS.write_text(TEXT.format(machine=machine, rows="\n".join(rows)))
    print(RESULTS.read_text())


def fill(url: str, size: int) -> None:
    """Create the clusters in bulk."""
    with httpx.Client(base_url=url, timeout=None) as http:
        waiting = iter(clusters(size))
        while lines := [orjson.dumps({"op": "create", "document": each}) for each in islice(waiting, LINES)]:
            http.post("/clusters/bulk", content=b"\n".join(lines), headers=NDJSON).raise_for_status()


def measured(browser: Browser, url: str, size: int, *, seconds: float) -> list[str]:
    """A row of the table for each page, and for the console under changes."""
    found = [(CONSOLE.name, times_of(browser, url, CONSOLE))]
    if size <= min(SIZES):
        found.append((DOCUMENTS.name, times_of(browser, url, DOCUMENTS, times=DOCUMENTS_TIMES)))
    page = browser.new_page()
    page.goto(url + CONSOLE.path)
    page.wait_for_selector(CONSOLE.row)
    heap, longest, changes = under_changes(page, lambda for_: write(url, for_), seconds=seconds)
    page.close()
    live = f"{heap:.0f} MB, {longest:.0f} ms at {changes / seconds:,.0f} changes/s"
    return [_row(size, name, times, live if name == CONSOLE.name else "") for name, times in found]


def write(url: str, seconds: float) -> int:
    """Change clusters at the rate, from another thread, while this one leaves the browser alone."""
    counts: list[int] = []
    thread = Thread(target=lambda: counts.append(asyncio.run(_write(url, seconds))))
    thread.start()
    thread.join()
    return counts[0]


async def _write(url: str, seconds: float) -> int:
    async with AsyncClient(url) as client:
        ids = [each["id"] async for each in client.clusters.query({}, projection={"id": 1}, limit=5_000)]
        begun, sent = time.monotonic(), 0
        while (elapsed := time.monotonic() - begun) < seconds:
            if sent >= elapsed * CHANGES_PER_SECOND:
                await asyncio.sleep(0.01)
                continue
            chosen = [ids[(sent + n) % len(ids)] for n in range(LINES)]
            await client.clusters.bulk(
                [{"op": "update", "id": id, "update": {"$inc": {"reputation": 1}}} for id in chosen]
            )
            sent += LINES
        return sent


def _row(size: int, name: str, times: Times, live: str) -> str:
    figures = (times.cold, times.warm, times.filtered, times.sorted)
    return f"| {size:,} | {name} | {' | '.join(f'{each:,.0f}' for each in figures)} | {live} |"


TEXT = """# The console

`make bench-console`, {machine}

Server, browser (headless Chromium, rendering in software) and writer share the machine. First rows: from the address to
the frame with the first row, in a new context and again in the same one, at the median of 5. Filter and sort: from the
key or click to the frame that shows the answer, at the median of 20. *All documents* is a plain page that fetches every
document once and renders all rows. The last column: the heap, and the longest frame while changes come in.

| clusters | page | first rows cold (ms) | warm (ms) | filter (ms) | sort (ms) | under changes |
| ---: | --- | ---: | ---: | ---: | ---: | --- |
{rows}

Goals at 10,000 clusters: first rows in 1.0 s cold and 0.5 s warm, 0.1 s for a filter or a sort. Rows come in two
steps: the first 60, which the registry has filtered, sorted and counted, are asked for before the page is drawn, all
others after them. What is left of a warm start are two tasks of the browser of about 0.1 s each, which compile the
script and lay out the first rows, the answers in between, and what else runs on the machine (see the load average).
"""

if __name__ == "__main__":
    main()
