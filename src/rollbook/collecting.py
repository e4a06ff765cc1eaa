"""The collector of cycles, kept away from documents: they have none, and a look at them all takes seconds."""

import gc

THRESHOLDS = (50_000, 20, 100)
"""Documents are hundreds of objects each: after so many new ones, and so many looks at younger ones, it looks again."""


def settle_garbage_collection() -> None:
    """Have it look at what is there now no more, and seldom at what comes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
