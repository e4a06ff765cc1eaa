"""A copy of the clusters that match a filter, in memory, with indexes: what an informer keeps in step.

One rule: readers need no lock. A document is never changed once it is here, and a new list takes the place of the old
one in one assignment.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from rollbook.client.calls import Json

IndexKey: TypeAlias = str | Callable[[Json], Any]
"""A dotted path, or a function of the document. A list is as many keys."""


class Replica:
    """The documents by id, and by the keys of each index."""

    def __init__(self, index_by: Mapping[str, IndexKey]) -> None:
        self._index_by = dict(index_by)
        self._content = Content(self._index_by)
        self.revision: int | None = None
        self.heard: float | None = None

    def reset(self, documents: Iterable[Json], revision: int) -> None:
        """Hold these documents, as of a revision, in the place of all others."""
        content = Content(self._index_by)
        for document in documents:
            content.put(document["id"], document)
        self._content = content
        self.note(revision)

    def put(self, id: str, document: Json | None) -> None:
        """Hold a document, or with None no longer hold it."""
        self._content.put(id, document)

    def note(self, revision: int) -> None:
        """All changes up to a revision have been applied."""
        self.revision, self.heard = revision, time.monotonic()

    @property
    def documents(self) -> dict[str, Json]:
        """The documents, by id."""
        return self._content.documents

    def by(self, index: str, key: Any) -> list[Json]:
        """The documents with a key in an index. Raises KeyError where there is no such index."""
        return list(self._content.indexes[index].get(_hashable(key), {}).values())


class Content:
    """Documents and indexes that belong together."""

    def __init__(self, index_by: Mapping[str, IndexKey]) -> None:
        self.documents: dict[str, Json] = {}
        self.indexes: dict[str, dict[Any, dict[str, Json]]] = {name: {} for name in index_by}
        self._index_by = index_by

    def put(self, id: str, document: Json | None) -> None:
        """Hold a document, or with None no longer hold it."""
        former = self.documents.get(id)
        for name, key in self._index_by.items():
            index = self.indexes[name]
            now = set() if document is None else set(keys_of(document, key))
            for each in () if former is None else set(keys_of(former, key)) - now:
                index[each].pop(id)
                if not index[each]:
                    del index[each]
            for each in now:
                index.setdefault(each, {})[id] = document  # type: ignore[assignment]
        if document is None:
            self.documents.pop(id, None)
        else:
            self.documents[id] = document


def keys_of(document: Json, key: IndexKey) -> Iterable[Any]:
    """The keys of a document in an index; none where there is no value."""
    found = key(document) if callable(key) else values_at(document, key.split("."))
    return [_hashable(each) for each in (found if isinstance(found, list) else [found]) if each is not None]


def values_at(value: Any, steps: list[str]) -> Any:
    """The value at a path; of an array those of all its elements."""
    if isinstance(value, list):
        found = [values_at(each, steps) for each in value] if steps else value
        return [inner for each in found for inner in (each if isinstance(each, list) else [each])]
    if not steps:
        return value
    return values_at(value.get(steps[0]), steps[1:]) if isinstance(value, dict) else None


def _hashable(key: Any) -> Any:
    return repr(key) if isinstance(key, list | dict) else key
