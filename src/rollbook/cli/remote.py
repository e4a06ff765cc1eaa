"""Documents in the registry that a server keeps, over HTTP."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

from rollbook.cli.lines import Undecoded
from rollbook.cli.places import Outcome, concerning_one
from rollbook.cli.targets import target_of
from rollbook.client import AsyncClient
from rollbook.client.calls import Json
from rollbook.client.replies import refusal_of
from rollbook.client.retrying import Retries
from rollbook.documents.codec import encode_json
from rollbook.documents.values import Value
from rollbook.errors import DocumentInvalid, Problem, RegistryUnreachable

DOCUMENT = "/document"
"""Where the document stands in its line; the places of a refusal are given within the document."""

PATIENT = Retries(attempts=8, first_seconds=0.5, patience_seconds=600.0)
"""An import waits as long as the server asks it to: nobody else waits for it."""


@asynccontextmanager
async def open_server(url: str, reason: str | None) -> AsyncIterator["Server"]:
    """The server at ``url``; ``reason`` is why it is written to."""
    target = target_of(url, None, None)
    async with AsyncClient(target.url, token=target.token, retries=PATIENT) as client:
        yield Server(client, reason)


class Server:
    """The registry that a server keeps, over HTTP."""

    def __init__(self, client: AsyncClient, reason: str | None) -> None:
        self._client = client
        self._reason = reason
        self.ahead = 1
        """See ``ImportTarget``."""

    async def put(self, documents: Sequence[Value | Undecoded], *, replace: bool) -> AsyncIterator[Outcome]:
        """As ImportTarget says; all documents in one request, whose results are given as they come."""
        lines = [{"op": "create", "document": each, "replace": replace} for each in documents if isinstance(each, dict)]
        left = len(lines)
        async with aclosing(self._results(lines)) as results:
            for document in documents:
                if isinstance(document, dict):
                    left -= 1
                    outcome = outcome_in(await anext(results, None))
                else:
                    outcome = DocumentInvalid(problems=[Problem("", "a cluster is an object")])
                if lines and not left:  # nobody asks for more: the answer is read to its end now
                    async for _ in results:
                        pass
                yield outcome

    async def _results(self, lines: Sequence[Json]) -> AsyncGenerator[Json]:
        async for result in self._client.clusters.bulk_results(lines, reason=self._reason):
            yield result

    async def bodies(self) -> AsyncIterator[bytes]:
        """As ImportTarget says."""
        async for document in self._client.clusters.query({}):
            yield encode_json(document)


def outcome_in(result: Json | None) -> Outcome:
    """What became of the document whose line of result this is; None: the answer ended before it."""
    if result is None:
        raise RegistryUnreachable("the answer ends before the last document: run the command again with --replace")
    if result.get("status") in (200, 201):
        return tuple(map(str, result.get("warnings") or ()))
    refusal = refusal_of(result)
    refusal.at = refusal.at.removeprefix(DOCUMENT)
    refusal.problems = tuple(Problem(each.at.removeprefix(DOCUMENT), each.problem) for each in refusal.problems)
    return concerning_one(refusal)
