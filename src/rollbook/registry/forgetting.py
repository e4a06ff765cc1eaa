"""What is remembered only to be quick is forgotten when nobody has used it for a while.

One rule: nothing depends on it. What is forgotten is decoded, compiled or read from the journal again.
"""

import asyncio
import gc
from collections.abc import Callable

from rollbook.clusters import large_documents, node_lists
from rollbook.documents import sharing
from rollbook.language.regular_expressions import lines, patterns
from rollbook.view.index import pairs

FORGET_SECONDS = 20.0
"""What is not used for this long is forgotten within twice as long. A large document then has to be decoded again, at
some 10 ns a byte: for documents that are used so rarely, that is little."""


async def forget_unused(*others: Callable[[], None]) -> None:
    """Forget what was not used since this was last called; ``others`` do so too, on the event loop."""
    for forget in others:
        forget()
    for cache in CACHES:
        await asyncio.to_thread(cache)
    await asyncio.to_thread(gc.collect, 1)  # a cycle may hold a large body; the oldest generation would take long


CACHES = (
    large_documents.forget_unused,
    node_lists.forget_unused,
    sharing.forget_unused,
    patterns.forget_unused,
    lines.forget_unused,
    pairs.forget_unused,
)
