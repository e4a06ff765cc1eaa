"""Documents in the registry that a server keeps, over HTTP."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rollbook.cli.places import Outcome, concerning_one
from rollbook.client import Client
from rollbook.clusters.acceptance import SchemaRules, accept_new
from rollbook.documents.codec import encode_json
from rollbook.documents.values import Document, Value
from rollbook.errors import ClusterExists, DocumentInvalid, Problem, RegistryError

AS_IT_IS = SchemaRules("lenient", unknown_fields="ignore")
"""Fills a document as any registry does, and leaves it to the server to judge it."""


@contextmanager
def open_server(url: str, reason: str | None) -> Iterator["Server"]:
    """The server at ``url``; ``reason`` is why it is written to."""
    with Client(url, reason=reason) as client:
        yield Server(client)


class Server:
    """The registry that a server keeps, over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def put(self, documents: Sequence[Value], *, replace: bool) -> AsyncIterator[Outcome]:
        """As Place says; one request after the other."""
        for document in documents:
            yield self._put(document, replace=replace)

    def bodies(self) -> Iterator[bytes]:
        """As Place says."""
        return map(encode_json, self._client.clusters.query({}))

    def _put(self, document: Value, *, replace: bool) -> Outcome:
        try:
            if not isinstance(document, dict):
                raise DocumentInvalid(problems=[Problem("", "a cluster is an object")])
            return self._create(document, replace=replace)
        except RegistryError as error:
            return concerning_one(error)

    def _create(self, document: Document, *, replace: bool) -> tuple[str, ...]:
        try:
            return self._client.clusters.create(document).warnings
        except ClusterExists:
            if not replace:
                raise
        return self._client.clusters.update(str(document["id"]), replacement(document)).warnings


def replacement(document: Document) -> Any:
    """The update that puts ``document``, filled like a new one, in the place of what is there, in one step."""
    return [{"$replaceWith": {"$literal": accept_new(document, rules=AS_IT_IS).document}}]
