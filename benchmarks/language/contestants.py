"""Those who are measured, each made ready on its own documents.

One rule: everybody gets the request as JSON and reads it within the measured time; documents are laid out before it.
mongomock's filters and sorts are called below its collections, which would copy every document; its updates and
projections, which make documents anyway, through them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import mongomock
import mongoquery
from mongomock.filtering import filter_applies, resolve_sort_key

from benchmarks.generating import Document
from benchmarks.language.workloads import Request
from rollbook.language import compile_edit, find, parse_edit

Documents = Sequence[Document]


@dataclass(frozen=True, slots=True)
class Entry:
    """``job`` is what is measured; ``answer`` makes comparable documents of its result, and is not."""

    job: Callable[[], Any]
    answer: Callable[[Any], list[Document]] = list


Prepare = Callable[[Documents, Request], Entry]


def rollbook_filter(documents: Documents, filter: Request) -> Entry:
    return Entry(lambda: find(documents, filter))


def mongomock_filter(documents: Documents, filter: Request) -> Entry:
    return Entry(lambda: [document for document in documents if filter_applies(filter, document)])


def mongoquery_filter(documents: Documents, filter: Request) -> Entry:
    def job() -> list[Document]:
        query = mongoquery.Query(filter)
        return [document for document in documents if query.match(document)]

    return Entry(job)


def rollbook_update(documents: Documents, update: Request) -> Entry:
    def job() -> list[Document]:
        apply = compile_edit(parse_edit(update))
        return [apply(document) for document in documents]

    return Entry(job)


def mongomock_update(documents: Documents, update: Request) -> Entry:
    collection = collection_of(documents)
    return Entry(lambda: collection.update_many({}, update), lambda _: without_identity(collection.find({})))


def rollbook_sort(documents: Documents, sort: Request) -> Entry:
    return Entry(lambda: find(documents, {}, sort=sort))


def mongomock_sort(documents: Documents, sort: Request) -> Entry:
    def job() -> list[Document]:
        ordered = list(documents)
        for path, direction in reversed(sort.items()):
            ordered.sort(key=lambda document, path=path: resolve_sort_key(path, document), reverse=direction < 0)
        return ordered

    return Entry(job)


def rollbook_projection(documents: Documents, projection: Request) -> Entry:
    return Entry(lambda: find(documents, {}, projection=projection, identity="_id"))


def mongomock_projection(documents: Documents, projection: Request) -> Entry:
    collection = collection_of(documents)
    return Entry(lambda: list(collection.find({}, projection)), without_identity)


def collection_of(documents: Documents) -> Any:
    """The documents in a collection of mongomock's."""
    collection = mongomock.MongoClient().measured.clusters
    collection.insert_many(deepcopy(list(documents)))
    return collection


def without_identity(documents: Iterable[Document]) -> list[Document]:
    """The documents without what a collection adds."""
    return [{name: value for name, value in document.items() if name != "_id"} for document in documents]


NAMES = ("rollbook", "mongomock", "mongoquery")
"""All of them, the one that the others are compared with first."""

FILTERING: Mapping[str, Prepare] = {
    "rollbook": rollbook_filter,
    "mongomock": mongomock_filter,
    "mongoquery": mongoquery_filter,
}
UPDATING: Mapping[str, Prepare] = {"rollbook": rollbook_update, "mongomock": mongomock_update}
SORTING: Mapping[str, Prepare] = {"rollbook": rollbook_sort, "mongomock": mongomock_sort}
PROJECTING: Mapping[str, Prepare] = {"rollbook": rollbook_projection, "mongomock": mongomock_projection}
