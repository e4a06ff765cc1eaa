"""A real Chromium in front of a real server."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.examples import cluster, node
from tests.serving import ServerProcess

ROOT = Path(__file__).parents[2]
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP registry.test 127.0.0.1",
]
CLUSTERS = 40
WAIT_MS = 20_000
expect.set_options(timeout=WAIT_MS)  # what is waited for comes at once, unless the machine is busy with other things


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser a module; it is gone before the next one, because Playwright's event loop runs in this thread."""
    if CHROMIUM is None or not AXE.is_file():
        pytest.skip("chromium is not installed, or console/node_modules is not there (make console)")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with forty clusters, some alive, one silent."""
    with ServerProcess(tmp_path_factory.mktemp("console") / "data") as started:
        fill(started.url)
        yield started


def fill(url: str) -> None:
    """Forty clusters in two regions; every second one has eight GPUs."""
    with httpx.Client(base_url=url) as http:
        for number in range(CLUSTERS):
            document = cluster(
                f"cluster-{number:03}",
                node("node-1", gpus=8 if number % 2 else 1, model="NVIDIA A100" if number % 2 else "NVIDIA L4"),
                regionId="us-west-2" if number % 4 < 2 else "eu-central-1",
                tags=["gpu", f"rack-{number % 5}"],
            )
            http.post("/clusters", json=document).raise_for_status()
        for number in range(5):
            http.post(f"/clusters/cluster-{number:03}/heartbeat", json={"ttlSeconds": 3600}).raise_for_status()


class Window:
    """A page of the console, and everything that went wrong in it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.troubles: list[str] = []
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self.troubles.append(text)

    def _asked(self, address: str) -> None:
        if not address.startswith((self.url, "data:", "blob:")):
            self.troubles.append(f"asked {address}")

    def open(self, path: str) -> Page:
        """Go to an address of the console."""
        self.page.goto(self.url + path)
        return self.page


@pytest.fixture
def window(browser: Browser, server: ServerProcess) -> Iterator[Window]:
    """A fresh window; nothing may have gone wrong in it at the end."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened = Window(context.new_page(), server.url)
    yield opened
    context.close()
    assert opened.troubles == []
