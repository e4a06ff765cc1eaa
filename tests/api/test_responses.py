"""How answers go out: in pieces, each in its turn."""

import asyncio
from typing import Any

from rollbook.api.responses import ARRAY, PIECE_BYTES, documents

PIECES = 8


async def test_others_have_a_turn_after_every_piece_however_fast_its_reader_is() -> None:
    response = documents([b"x" * PIECE_BYTES] * PIECES, form=ARRAY)
    turns, turns_at_pieces = 0, []

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def send(message: Any) -> None:
        if message.get("body"):
            turns_at_pieces.append(turns)

    async def receive() -> Any:
        await asyncio.Event().wait()

    waiting = asyncio.create_task(others())
    await response({"type": "http", "method": "POST", "asgi": {"spec_version": "2.3"}}, receive, send)
    waiting.cancel()
    assert len(turns_at_pieces) > PIECES
    assert len(set(turns_at_pieces)) == len(turns_at_pieces)
