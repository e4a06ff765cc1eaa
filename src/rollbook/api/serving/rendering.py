"""Answers as bytes: the status line, the headers, the body.

One rule: no header ends early. Whatever a header's value holds that is not printable becomes a space here at the
latest; text of callers is escaped before (``responses.header_text``).
"""

import re
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus

from starlette.responses import Response

UNPRINTABLE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def rendered(response: Response, default: bytes, *, closes: bool, bodiless: bool = False) -> bytes:
    """A whole answer. ``default``: the headers that the server adds; ``closes``: no other request may follow."""
    headers = [header for header in response.raw_headers if not (closes and header[0] == b"connection")]
    if closes:
        headers.append((b"connection", b"close"))
    head = rendered_head(response.status_code, default, headers)
    return head if bodiless else head + bytes(response.body)


def rendered_head(status: int, default: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The status line and the headers, to the empty line behind them."""
    lines = [status_line(status), default]
    for name, value in headers:
        lines += (name, b": ", UNPRINTABLE.sub(b" ", value), b"\r\n")
    lines.append(b"\r\n")
    return b"".join(lines)


@cache
def status_line(status: int) -> bytes:
    """``HTTP/1.1 200 OK``, with its line break."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()
