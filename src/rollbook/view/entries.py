"""Entries: documents as they stand.

One rule: an entry never changes. It is the document as of one moment.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

from rollbook.view.packing import Packing, unpacked_bytes


class Entry(NamedTuple):
    """One document as it stands: its JSON, its revisions, its times (Unix ms), and whether it is protected.

    ``status_since_ms`` is the time of the change that gave it its status.

    ``held`` is its JSON as memory holds it: packed by ``packing``, or as it is.
    """

    number: int
    id: str
    revision: int
    created_revision: int
    created_at_ms: int
    updated_at_ms: int
    status_since_ms: int
    held: bytes
    protected: bool = False
    packing: Packing | None = None

    @property
    def body(self) -> bytes:
        """Its JSON. Unpacked each time it is asked for, where it is packed."""
        return self.held if self.packing is None else self.packing.unpacked(self.held)

    @property
    def size_bytes(self) -> int:
        """How long its JSON is."""
        return len(self.held) if self.packing is None else unpacked_bytes(self.held)


class Bodies(Sequence[bytes]):
    """The JSON of documents, each made ready only when it is taken."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[bytes]:
        return (entry.body for entry in self._entries)

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[bytes]: ...
    def __getitem__(self, place: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(place, slice):
            return Bodies(self._entries[place])
        return self._entries[place].body
