"""Whether the index may be read for a caller: it is of whole documents."""

from rollbook.security.callers import Caller
from rollbook.security.sights import WHOLE


def sees_everything(caller: Caller) -> bool:
    """Whether nothing of any cluster is hidden from the caller. Others are answered from what the doors give them."""
    return caller.access.reads is WHOLE
