"""What is measured in a browser, and how: from an action to the frame that shows its effect."""

import json
from collections.abc import Callable
from pathlib import Path
from statistics import median

from msgspec import Struct
from playwright.sync_api import Browser, BrowserContext, Page

PLAIN = Path(__file__).with_name("plain.html").read_text()
TIMES = 20
FILTERS = ("a100", "us-east", "live")
WAIT_MS = 120_000
SETTLE_MS = 2_000
OPENINGS = 5

# The frame after the one in which the first row is there, by the clock that began with the address.
FIRST_ROW = """window.firstRow = new Promise(done => {
    const look = () => {
        if (document.querySelector(%s)) requestAnimationFrame(() => done(performance.now()));
        else requestAnimationFrame(look);
    };
    look();
})"""
SHOWN = """([selector, before]) => new Promise(done => {
    let begun = 0;
    for (const kind of ["input", "click"])
        addEventListener(kind, event => { begun ||= event.timeStamp; }, { capture: true, once: true });
    const look = () => {
        const text = document.querySelector(selector)?.textContent ?? "";
        if (text && text !== before) requestAnimationFrame(() => done(performance.now() - begun));
        else requestAnimationFrame(look);
    };
    look();
})"""
FRAMES = """() => {
    window.longest = 0;
    let last = performance.now();
    const frame = now => {
        window.longest = Math.max(window.longest, now - last);
        last = now;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
}"""


class Times(Struct):
    """Milliseconds of a page: first rows without and with a cache, and medians of a filter and of a sort."""

    cold: float
    warm: float
    filtered: float
    sorted: float


class Subject(Struct, frozen=True):
    """A page: where it is, and how its rows, its filter and its order are found and shown."""

    name: str
    path: str
    row: str
    count: str
    search: str
    heading: str


CONSOLE = Subject(
    "the console",
    "/console/clusters",
    '[role="grid"] [role="rowgroup"] a',
    '.list [role="status"]',
    "[data-search]",
    '[role="columnheader"]:has-text("GPUs") button',
)
DOCUMENTS = Subject("all documents", "/plain", "#rows tr", "#count", "#filter", "#sort")


def times_of(browser: Browser, url: str, subject: Subject, *, times: int = TIMES) -> Times:
    """The times of a page."""
    colds, warms = list[float](), list[float]()
    for number in range(openings := min(times, OPENINGS)):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.route("**/plain", lambda route: route.fulfill(body=PLAIN, content_type="text/html"))
        for found in (colds, warms):
            milliseconds, page = _opened(context, url, subject)
            found.append(milliseconds)
            page.wait_for_timeout(SETTLE_MS)
            if found is colds:
                page.close()
        if number < openings - 1:
            context.close()
    filtered = [_typed(page, subject, FILTERS[n % len(FILTERS)]) for n in range(times)]
    page.fill(subject.search, "")
    page.wait_for_timeout(SETTLE_MS)
    ordered = [_after(page, subject.row, lambda: page.click(subject.heading)) for _ in range(_sorts(subject, times))]
    context.close()
    return Times(median(colds), median(warms), median(filtered), median(ordered))


def under_changes(page: Page, write: Callable[[float], int], *, seconds: float) -> tuple[float, float, int]:
    """The heap (MB), the longest frame (ms) and the number of changes while ``write`` changes clusters for a while."""
    page.evaluate(FRAMES)
    changes = write(seconds)
    heap = page.evaluate("performance.memory.usedJSHeapSize") / 1_000_000
    return heap, float(page.evaluate("window.longest")), changes


def _sorts(subject: Subject, times: int) -> int:
    return times if subject is CONSOLE else 1  # the plain page has one order


def _opened(context: BrowserContext, url: str, subject: Subject) -> tuple[float, Page]:
    page = context.new_page()
    page.add_init_script(FIRST_ROW % json.dumps(subject.row))
    page.goto(url + subject.path, wait_until="commit")
    page.wait_for_selector(subject.row, timeout=WAIT_MS)
    return float(page.evaluate("window.firstRow")), page


def _typed(page: Page, subject: Subject, text: str) -> float:
    page.fill(subject.search, "")
    page.wait_for_timeout(400)
    return _after(page, subject.count, lambda: page.fill(subject.search, text))


def _after(page: Page, selector: str, act: Callable[[], None]) -> float:
    """Milliseconds from an action until what a selector finds is another text, as the page's own clock sees it."""
    before = page.text_content(selector)
    page.evaluate(f"([selector, before]) => {{ window.shown = ({SHOWN})([selector, before]) }}", [selector, before])
    act()
    return float(
        page.evaluate("Promise.race([window.shown, new Promise(done => setTimeout(() => done(60000), 60000))])")
    )
