"""The built files of the web console: read once at the start, kept as they are and compressed.

One rule: a file is served with a tag of its content. Assets have names that change with their content and may be kept
for ever; the page that names them is asked for again each time.
"""

import gzip
import hashlib
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

import zstandard
from msgspec import Struct
from starlette.datastructures import Headers
from starlette.responses import Response

from rollbook.api.compression import accepted_coding

PAGE: Final = "index.html"
ASSETS: Final = "assets/"
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
SAFE = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "vary": "accept, accept-encoding",
}


class ConsoleFile(Struct, frozen=True):
    """One file: its bodies by encoding ("" for none), the digest of its content, and how long it may be kept."""

    bodies: Mapping[str, bytes]
    digest: str
    media_type: str
    cache_control: str

    def answer(self, headers: Headers) -> Response:
        """The file in the encoding that the caller likes best; 304 when the caller has it."""
        coding = accepted_coding(headers) or ""
        tag = f'"{self.digest}{"-" if coding else ""}{coding}"'
        own = {**SAFE, "etag": tag, "cache-control": self.cache_control}
        if tag in {each.strip().removeprefix("W/") for each in headers.get("if-none-match", "").split(",")}:
            return Response(status_code=304, headers=own)
        if coding:
            own["content-encoding"] = coding
        return Response(self.bodies[coding], headers=own, media_type=self.media_type)


def read_console_files() -> Mapping[str, ConsoleFile]:
    """Every file by its path below ``/console/``."""
    root = resources.files("rollbook") / "console"
    return {path: _read(path, content) for path, content in _walk(root, "") if _suffix(path) in MEDIA_TYPES}


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name) if folder.is_dir() else ():
        path = prefix + each.name
        found += _walk(each, path + "/") if each.is_dir() else [(path, each.read_bytes())]
    return found


def _read(path: str, content: bytes) -> ConsoleFile:
    is_asset = path.startswith(ASSETS)
    return ConsoleFile(
        {"": content, "gzip": gzip.compress(content, 9, mtime=0), "zstd": zstandard.compress(content, 19)},
        hashlib.sha256(content).hexdigest()[:20],
        MEDIA_TYPES[_suffix(path)],
        "public, max-age=31536000, immutable" if is_asset else "no-cache",
    )


def _suffix(path: str) -> str:
    return path[path.rfind(".") :]
