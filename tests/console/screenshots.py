"""The pictures of the README: ``make screenshots``, from a made-up fleet in a real browser."""

import tempfile
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

from benchmarks.generating import clusters
from tests.console.conftest import ARGUMENTS, CHROMIUM, ROOT
from tests.serving import ServerProcess

PICTURES = ROOT / "docs" / "images"
FLEET = 400
SCREENS = {
    "fleet": "/console",
    "clusters": "/console/clusters?q=a100%20live&sort=-gpus.count",
}


def main() -> None:
    """Write each screen, light and dark."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place, ServerProcess(Path(place, "data")) as server:
        fill(server.url)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            for scheme in ("light", "dark"):
                size = {"width": 1200, "height": 540}
                page = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
                for name, path in SCREENS.items():
                    page.goto(server.url + path)
                    page.wait_for_timeout(2_000)
                    page.screenshot(path=PICTURES / f"{name}-{scheme}.png")
            browser.close()


def fill(url: str) -> None:
    """The fleet, of which nine in ten clusters send heartbeats; a few fell silent."""
    documents = list(clusters(FLEET))
    with httpx.Client(base_url=url) as http:
        for number, document in enumerate(documents):
            http.post("/clusters", json=document).raise_for_status()
            lease = {"ttlSeconds": 1 if number % 60 == 7 else 3_600}
            if number % 10:
                http.post(f"/clusters/{document['id']}/heartbeat", json=lease).raise_for_status()
        for document in documents[:8]:
            http.put(f"/clusters/{document['id']}", json={"$inc": {"reputation": 1}}, headers={"x-reason": "audit"})


if __name__ == "__main__":
    main()
