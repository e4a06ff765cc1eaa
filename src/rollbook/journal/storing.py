"""A store as the event loop sees it: jobs on a thread of its own, one after the other."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """What every store can do."""

    def close(self) -> None:
        """Release what it holds."""
        ...


Store = TypeVar("Store", bound=Closable, covariant=True)
Result = TypeVar("Result")


class StoreThread(Generic[Store]):
    """The thread that has a store to itself. Jobs are done in the order in which they were given."""

    def __init__(self, store: Store, *, name: str) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def __call__(self, job: Callable[[Store], Result]) -> Result:
        """What the job gives. It is done even when nobody waits for it any more."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, job, self._store)

    def close(self) -> None:
        """Finish what was given, and release the store."""
        self._thread.shutdown()
        self._store.close()
