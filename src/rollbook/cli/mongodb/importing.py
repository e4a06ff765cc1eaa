"""What ``rollbook import --from`` reads, judged, put and verified.

One rule: a document counts as moved when the registry gives back what was read. A document that is there already, the
same, is not written again; so the command goes on where it was stopped.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from itertools import islice

from msgspec import Struct, field

from rollbook.cli.lines import Line, Undecoded
from rollbook.cli.mongodb.values import MONGODB_FIELDS, digest_of, digest_of_all
from rollbook.cli.places import ImportTarget
from rollbook.clusters.acceptance import SchemaRules, accept_new
from rollbook.clusters.findings import pointer
from rollbook.clusters.validating import unknown_fields_in
from rollbook.documents.codec import decode_stored
from rollbook.documents.values import Document, Value
from rollbook.errors import ClusterExists, DocumentInvalid, Problem, RegistryError

KEPT, DOCUMENTED = SchemaRules("lenient", "ignore"), SchemaRules("default", "ignore")
FIELDS_MAX = 1000
"""How many undocumented fields of one document are looked at."""

INDEX = re.compile(r"/\d+(?=/|$)")


class Refusal(Struct, frozen=True):
    """A document that was not imported: its place in the source, and why."""

    place: str
    error: RegistryError


class Asked(Struct):
    """What the documented schema asks at one place: in words, of how many documents, and the first of them."""

    problem: str
    documents: int
    first: str


class Moved(Struct):
    """How an import went."""

    imported: int = 0
    there: int = 0
    refused: int = 0
    sparse: int = 0
    asked: dict[str, Asked] = field(default_factory=dict)
    undocumented: Counter[str] = field(default_factory=Counter)
    last: str = ""

    def __str__(self) -> str:
        return f"{self.imported} imported, {self.there} there already, {self.refused} refused"


class Mover:
    """Puts documents into a registry, and knows what must be there afterwards."""

    def __init__(self, place: ImportTarget, *, replace: bool) -> None:
        self._place = place
        self._replace = replace
        self._digests: dict[str, bytes] = {}
        self._pending: dict[str, Refusal] = {}
        """By id, what the registry refused, and may have already."""
        self.moved = Moved()

    async def put(self, batch: Sequence[Line]) -> AsyncIterator[Refusal]:
        """Import a batch; those documents that were refused."""
        ready: list[tuple[str, Document]] = []
        for line in batch:
            self.moved.last = line.place
            outcome = self._prepared(line)
            if isinstance(outcome, RegistryError):
                yield self._refuse(line.place, outcome)
            else:
                ready.append((line.place, outcome))
        outcomes = self._place.put([document for _, document in ready], replace=self._replace)
        for place, document in ready:
            result, id = await anext(outcomes), str(document["id"])
            if isinstance(result, RegistryError):
                self._pending[id] = Refusal(place, result)
            else:
                self.moved.imported += 1

    async def verify(self) -> AsyncIterator[Refusal]:
        """Read the registry, and give every document that is not there as it was read."""
        missing = dict(self._digests)
        async for body in self._place.bodies():
            document = decode_stored(body)
            id = str(document["id"])
            if missing.get(id) == digest_of(document):
                del missing[id]
        self.moved.there = len(self._pending.keys() - missing.keys())
        for id in missing:
            del self._digests[id]
            refusal = self._pending.get(id)
            if refusal is None:
                self.moved.imported -= 1
                yield self._refuse(id, RegistryError("the document is no longer in the registry as it was read"))
            elif isinstance(refusal.error, ClusterExists):
                changed = f"another document has the id {id!r}; --replace lets this one take its place"
                yield self._refuse(refusal.place, ClusterExists(changed))
            else:
                yield self._refuse(refusal.place, refusal.error)

    @property
    def count(self) -> int:
        """How many documents are in the registry as they were read."""
        return len(self._digests)

    @property
    def digest(self) -> str:
        """The SHA-256 of them all."""
        return digest_of_all(self._digests)

    def _refuse(self, place: str, error: RegistryError) -> Refusal:
        self.moved.refused += 1
        return Refusal(place, error)

    def _prepared(self, line: Line) -> Document | RegistryError:
        """The document of a line, when it can be stored; what it will be is noted."""
        if isinstance(line.content, RegistryError):
            return line.content
        assert not isinstance(line.content, Undecoded), "lines are decoded"
        try:
            document = _object(line.content)
            accepted = accept_new(document, rules=KEPT).document
        except RegistryError as error:
            return error
        id = str(accepted["id"])
        if id in self._digests:
            return ClusterExists(f"an earlier document has the id {id!r} too; one of them can be a cluster")
        self._digests[id] = digest_of(accepted)
        self._judge(id, document)
        return {**document, "id": id}

    def _judge(self, id: str, document: Document) -> None:
        """Note what the documented schema would ask of a document, and which of its fields it does not document."""
        own = {key: value for key, value in document.items() if key not in MONGODB_FIELDS}
        unknown = (pointer(finding.place) for finding in unknown_fields_in(own))
        self.moved.undocumented.update({INDEX.sub("/*", at) for at in islice(unknown, FIELDS_MAX)})
        try:
            accept_new(own, rules=DOCUMENTED)
        except RegistryError as error:
            self.moved.sparse += 1
            for at, problem in {INDEX.sub("/*", each.at): each.problem for each in reversed(error.problems)}.items():
                self.moved.asked.setdefault(at, Asked(problem, 0, id)).documents += 1


def _object(content: Value) -> Document:
    if not isinstance(content, dict):
        raise DocumentInvalid(problems=[Problem("", "a cluster is an object")])
    return content
