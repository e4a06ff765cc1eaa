"""The pictures of the README: ``make screenshots``, of the fleet of ``rollbook demo`` in a real browser.

One rule: all pictures together are under 400 KB, so they are WebP, which the browser itself makes.
"""

import base64
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from tests.console.conftest import ARGUMENTS, CHROMIUM, ROOT
from tests.serving import ServerProcess

PICTURES = ROOT / "docs" / "images"
BYTES_MAX = 400 * 1024
CLUSTERS = 10_000
SIZE = {"width": 1120, "height": 500}
QUALITY = {1: 0.6, 2: 0.3}
SCREENS = {
    "fleet": "/console",
    "clusters": "/console/clusters?q=a100%20live&sort=-gpus.count",
}
SETTLE_MS = 6_000
AS_WEBP = """async ([png, quality]) => {
    const image = new Image();
    image.src = "data:image/png;base64," + png;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext("2d").drawImage(image, 0, 0);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({type: "image/webp", quality})).arrayBuffer());
    return bytes.toBase64 ? bytes.toBase64() : btoa(Array.from(bytes, each => String.fromCharCode(each)).join(""));
}"""


def main() -> None:
    """Write each screen, light and dark, for screens of one and of two pixels a point."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place, ServerProcess(Path(place, "data")) as server:
        command = [sys.executable, "-m", "rollbook", "demo", "--url", server.url, "--clusters", str(CLUSTERS), "--keep"]
        subprocess.run([*command, "--seconds", "30"], check=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            for scheme in ("light", "dark"):
                for scale in QUALITY:
                    take(browser, server.url, scheme, scale)
            browser.close()
    size = sum(each.stat().st_size for each in PICTURES.glob("*.webp"))
    if size > BYTES_MAX:
        raise SystemExit(f"the pictures are {size} bytes, more than {BYTES_MAX}: lower QUALITY")


def take(browser: Browser, url: str, scheme: str, scale: int) -> None:
    """The screens in one scheme at one scale."""
    theme: Literal["light", "dark"] = "dark" if scheme == "dark" else "light"
    context = browser.new_context(viewport=SIZE, color_scheme=theme, device_scale_factor=scale)  # type: ignore[arg-type]
    page, plain = context.new_page(), context.new_page()
    for name, path in SCREENS.items():
        page.goto(url + path)
        page.wait_for_timeout(SETTLE_MS)
        png = base64.b64encode(page.screenshot()).decode()
        webp = plain.evaluate(AS_WEBP, [png, QUALITY[scale]])
        suffix = "" if scale == 1 else f"@{scale}x"
        (PICTURES / f"{name}-{scheme}{suffix}.webp").write_bytes(base64.b64decode(webp))
    context.close()


if __name__ == "__main__":
    main()
