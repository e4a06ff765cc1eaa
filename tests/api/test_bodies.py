"""Bodies as they come: in pieces, late, or never."""

import asyncio

import pytest
from msgspec.structs import replace
from starlette.requests import Request
from starlette.types import Message

from rollbook.api.asking import json_body
from rollbook.errors import BodyIncomplete
from rollbook.limits import DEFAULT_LIMITS

IMPATIENT = replace(DEFAULT_LIMITS, body_pause_seconds_max=0.5)


def sending(*pieces: bytes, ends: bool) -> Request:
    """A request whose body comes in pieces, with a pause before each, and then ends or does not."""
    messages: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if ends:
        messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        await asyncio.sleep(0.1 if messages else 60)
        return messages.pop(0)

    return Request({"type": "http", "headers": [(b"content-type", b"application/json")]}, receive)


async def test_a_body_may_come_slowly() -> None:
    assert await json_body(sending(b"[", *[b" "] * 6, b"]", ends=True), limits=IMPATIENT) == []


async def test_a_body_that_stops_coming_is_refused() -> None:
    with pytest.raises(BodyIncomplete):
        await json_body(sending(b"[", ends=False), limits=IMPATIENT)
