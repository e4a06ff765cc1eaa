"""The traces of the newest changes, for what happens because of them.

One rule: they are in memory, and bounded. What follows a change that is older, or was made before a restart, is in no
trace.
"""

from collections import OrderedDict
from collections.abc import Mapping

from rollbook.steps import NO_CARRIER

TRACES_MAX = 10_000


class ChangeTraces:
    """By revision, the headers that continue the trace of the request that made the change."""

    def __init__(self) -> None:
        self._carriers: OrderedDict[int, Mapping[str, str]] = OrderedDict()

    def note(self, revision: int, carrier: Mapping[str, str]) -> None:
        """Note the trace of a change."""
        self._carriers[revision] = carrier
        if len(self._carriers) > TRACES_MAX:
            self._carriers.popitem(last=False)

    def of(self, revision: int) -> Mapping[str, str]:
        """The headers; none, where the change has no trace, or an old one."""
        return self._carriers.get(revision, NO_CARRIER)
