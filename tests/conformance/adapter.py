"""The language as the corpus's runner calls it: two functions of plain documents, whose identity is ``_id``.

One rule: an error carries MongoDB's code as ``code``, which the runner compares. Nothing is decided here.
"""

from typing import Any

from rollbook import language
from rollbook.documents.values import MISSING
from rollbook.errors import RegistryError


class Refused(Exception):
    """What the language refused, under MongoDB's code."""

    def __init__(self, error: RegistryError) -> None:
        super().__init__(error.message)
        self.code = error.mongo_code


def find(
    documents: list[Any], filter: Any, sort: Any = None, skip: Any = None, limit: Any = None, projection: Any = None
) -> list[Any]:
    """The documents that match, in order."""
    try:
        return language.find(
            documents, filter, sort=sort, skip=skip or 0, limit=limit or 0, projection=projection, identity="_id"
        )
    except RegistryError as error:
        raise Refused(error) from error


def update(document: Any, update: Any, array_filters: Any = None, filter: Any = None) -> Any:
    """The document after the update; one without operators is a replacement."""
    try:
        return language.update(
            document,
            update,
            array_filters=MISSING if array_filters is None else array_filters,
            filter=MISSING if filter is None else filter,
            identity="_id",
            bare="replace",
        )
    except RegistryError as error:
        raise Refused(error) from error
