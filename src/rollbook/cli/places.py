"""Where documents are kept: a data directory (``local``) or a server at a URL (``remote``), which look the same here.

One rule: what concerns one document is returned beside it; what would stop the next one too (no connection, no disk)
is raised.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, TypeAlias

from rollbook.cli.exits import UNAVAILABLE, exit_code_of
from rollbook.cli.lines import Undecoded
from rollbook.documents.values import Value
from rollbook.errors import RegistryError

Outcome: TypeAlias = "tuple[str, ...] | RegistryError"


class ImportTarget(Protocol):
    """A registry that documents are read from and written to."""

    ahead: int
    """How many puts may be under way before the outcomes of the first of them are taken."""

    def put(self, documents: "Sequence[Value | Undecoded]", *, replace: bool) -> AsyncIterator[Outcome]:
        """Import each document, in their order; for each, its warnings, or why it was refused.

        Documents may be put before the outcomes of those before them are there: they are imported after them.
        """
        ...

    def bodies(self) -> AsyncIterator[bytes]:
        """The JSON of every document, in order of creation, as of one moment."""
        ...


def concerning_one(error: BaseException) -> RegistryError:
    """The error, when it is about one document; raises it when the next document would meet it too."""
    if isinstance(error, RegistryError) and exit_code_of(error) != UNAVAILABLE:
        return error
    raise error
