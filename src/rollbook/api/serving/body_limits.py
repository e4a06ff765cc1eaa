"""The limit of a body: judged by what is announced, and counted where nothing is (chunks).

One rule: a body that is answered while it arrives has no limit here; its lines have (``body_streams``).
"""

from collections.abc import Mapping

from rollbook.errors import BodyTooLarge


def check_announced(known: Mapping[bytes, bytes], bytes_max: int) -> None:
    """Refuses (BodyTooLarge) a ``Content-Length`` over the limit."""
    check_read(int(known.get(b"content-length", b"0")), bytes_max)


def check_read(body_bytes: int, bytes_max: int) -> None:
    """Refuses (BodyTooLarge) a body of which more is read than the limit allows."""
    if body_bytes > bytes_max:
        raise BodyTooLarge(f"the body is larger than {bytes_max} bytes, the most that this registry accepts")
