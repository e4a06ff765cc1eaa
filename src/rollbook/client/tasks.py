"""What runs in a task of its own, from ``start`` to ``close`` or for the length of an ``async with``."""

import asyncio
from typing import Self


class InTask:
    """Runs ``_run`` in a task. Use it as an asynchronous context manager."""

    _task: asyncio.Task[None] | None = None

    async def start(self) -> Self:
        """Begin, and return at once."""
        self._task = asyncio.create_task(self._run(), name=f"rollbook-{type(self).__name__}")
        return self

    async def close(self) -> None:
        """End. What is known stays readable."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def _run(self) -> None:
        raise NotImplementedError
