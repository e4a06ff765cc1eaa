"""JSON as one line of a stream of lines, for any reader.

JSON allows U+0085, U+2028 and U+2029 unescaped in strings, and common readers (Python's ``splitlines``, and what is
built on it) end a line there. All other separators of lines are control characters, which JSON escapes by itself.
"""

import re

ESCAPES = (
    (b"\xc2\x85", rb"\u0085"),
    (b"\xe2\x80\xa8", rb"\u2028"),
    (b"\xe2\x80\xa9", rb"\u2029"),
)


def one_line(body: bytes) -> bytes:
    """The same JSON without a separator of lines in it. ``body`` is compact JSON in UTF-8."""
    if body.isascii():
        return body
    for separator, escaped in ESCAPES:
        body = body.replace(separator, escaped)
    return body


CONTROLS = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters that JSON does not escape by itself, and those that turn the direction of text."""


def safe_on_terminals(body: bytes) -> bytes:
    """As ``one_line``, and without what terminals obey."""
    text = one_line(body).decode()
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()
