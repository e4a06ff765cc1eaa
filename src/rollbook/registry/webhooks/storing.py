"""The store of webhooks as the event loop sees it: jobs on a thread of its own, one after the other."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rollbook.journal.webhook_store import WebhookStore

Result = TypeVar("Result")


class StoreThread:
    """The thread that has the store to itself. Jobs are done in the order in which they were given."""

    def __init__(self, store: WebhookStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rollbook-webhooks")

    async def __call__(self, job: Callable[[WebhookStore], Result]) -> Result:
        """What the job gives. It is done even when nobody waits for it any more."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, job, self._store)

    def close(self) -> None:
        """Finish what was given, and release the file."""
        self._thread.shutdown()
        self._store.close()
