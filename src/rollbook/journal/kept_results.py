"""What is kept of writes that carry an idempotency key, so that one that is sent again is not done again.

One rule: a result is kept in the same step as the write that it is of: both are there, or neither is.
"""

from typing import NamedTuple

KEPT_MS = 24 * 60 * 60 * 1000
"""How long a result is kept at least."""

FORGOTTEN_AT_ONCE = 1000
"""How many older results one append forgets at most."""


class KeptResult(NamedTuple):
    """What a write came to. ``key``: whose key it carried; ``fingerprint``: of all that was asked.

    ``at_ms``: when it was written (Unix ms). ``result``: what its caller was answered, as the registry encodes it.
    """

    key: bytes
    fingerprint: bytes
    at_ms: int
    result: bytes
