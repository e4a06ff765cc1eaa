"""What callers may with clusters, beside the documents: ``include=access``.

One rule: rights are those of now, and of whole documents.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from rollbook.api import responses
from rollbook.api.asking import caller_of, registry_of
from rollbook.api.parameters import moment_of
from rollbook.clusters.large_documents import decode_stored
from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.codec import encode_json
from rollbook.documents.values import Document
from rollbook.errors import RequestRefused
from rollbook.registry.listing.pages import ClusterPage
from rollbook.security.access import Access
from rollbook.security.questions import rights_as_json
from rollbook.view.entries import Entry


def check_rights(request: Request, *, is_whole: bool) -> None:
    """Refuses (RequestRefused) to say what may be done with clusters of the past, or beside parts of documents."""
    if moment_of(request) is not None:
        raise RequestRefused("include=access is about the present: leave 'revision' and 'at' out")
    if not is_whole:
        raise RequestRefused("'fields' or a projection, and include=access, exclude each other: leave one of them out")


def document_with_rights(request: Request, entry: Entry, *, with_facts: bool) -> Response:
    """A document with what its reader may with the cluster."""
    registry, caller = registry_of(request), caller_of(request)
    facts: Document = registry.facts_for(caller).of(entry) if with_facts else {}
    facts["access"] = _rights(caller.permitted, registry.view.entry(entry.id))
    return responses.json_response({**decode_stored(entry.body), REGISTRY_FIELD: facts})


async def page_with_rights(request: Request, page: ClusterPage, bodies: Sequence[bytes]) -> Sequence[bytes]:
    """The documents of a page, each with what its reader may with the cluster; within the budget of the page."""
    registry, access = registry_of(request), caller_of(request).permitted
    threads, present = registry.reader.threads, [registry.view.entry(entry.id) for entry in page.entries]

    def job() -> Sequence[bytes]:
        pairs = zip(bodies, present, strict=True)
        return threads.answers.gather(_with_rights(body, _rights(access, entry)) for body, entry in pairs)

    return await threads.run(job, page.scan.work)


def _with_rights(body: bytes, rights: Document) -> bytes:
    document = decode_stored(body)
    known = document.get(REGISTRY_FIELD)
    return encode_json({**document, REGISTRY_FIELD: {**(known if isinstance(known, dict) else {}), "access": rights}})


def _rights(access: Access, present: Entry | None) -> Document:
    """What may be done with a cluster; nothing, when it has been deleted meanwhile."""
    return {"verbs": []} if present is None else rights_as_json(access, decode_stored(present.body))
