"""Commands: what a write asks, as a function of the newest document.

One rule: a command waits in the queue as a question, not as a finished document. ``decide`` answers it for the newest
state, which may be the work of another command of the same batch. A command is a value: deciding has no effect and
leaves the command as it is, so it can be decided again after a conflict, and a dry run is to decide and not to append.
"""

from typing import ClassVar, Protocol

from msgspec import Struct
from msgspec.structs import replace

from rollbook.clusters.acceptance import Accepted, SchemaRules, accept_new, accept_update, check_same_id
from rollbook.clusters.large_documents import LARGE_BYTES, decode_stored, encode_next
from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.bounding import NO_DOCUMENT, check_bounds, may_exceed
from rollbook.documents.codec import encode_json
from rollbook.documents.values import Document
from rollbook.errors import ClusterExists, ClusterNotFound, ClusterProtected, DocumentInvalid, PreconditionFailed, below
from rollbook.journal.changes import Kind
from rollbook.language.edits import Edit, compile_edit
from rollbook.language.filters import Filter, compile_filter
from rollbook.language.projections import Projection, compile_projection
from rollbook.limits import DEFAULT_LIMITS, Limits, RequestBudget
from rollbook.registry.writing.preconditions import ANY_REVISION, Precondition


class Current(Struct, frozen=True):
    """The newest document of an id, as a command meets it: its JSON, its revisions and times, whether it is protected.

    The other fields are those of an entry of the view; what was decided earlier in the same batch counts.
    """

    body: bytes
    revision: int
    protected: bool = False
    id: str = ""
    created_revision: int = 0
    created_at_ms: int = 0
    updated_at_ms: int = 0
    status_since_ms: int = 0


class Decision(Struct, frozen=True):
    """What becomes of a document. ``kind`` None: nothing changes; ``body`` None: there is no document any more.

    ``outcome`` is a word of the command's own for its caller. ``versions`` are the documents before and after, of a
    command that has them at hand: they spare the view to decode them again. ``answer`` is JSON that the caller wants
    instead of the document. ``shown`` and ``shown_before`` are the documents as the caller sees them, where that is not
    all of them; ``restored`` is all of the last document of a cluster that is brought back.
    """

    kind: Kind | None
    body: bytes | None
    warnings: tuple[str, ...] = ()
    outcome: str = ""
    versions: tuple[Document, Document] | None = None
    answer: bytes | None = None
    shown: bytes | None = None
    shown_before: bytes | None = None
    restored: bytes | None = None


class Command(Protocol):
    """A write on one cluster."""

    @property
    def verb(self) -> str:
        """The verb that its caller needs."""
        ...

    @property
    def id(self) -> str:
        """The cluster that it is about."""
        ...

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        """What becomes of the newest document; refuses with the error that the caller receives.

        Each decision spends from a budget of its own, and refuses (WorkExceeded) to spend more.
        """
        ...

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        """What the caller would make of a document, before that is judged."""
        ...


def updated(current: Current, before: Document, accepted: Accepted, *, limits: Limits, outcome: str = "") -> Decision:
    """The decision that the document ``before``, which is stored as ``current``, becomes the accepted one."""
    body = encoded(accepted.document, limits=limits, before=before, body_before=current.body)
    after = accepted.document if len(body) < LARGE_BYTES else decode_stored(body)
    kind: Kind | None = None if body == current.body else "updated"
    return Decision(kind, body, accepted.warnings, outcome, versions=(before, after))


def encoded(document: Document, *, limits: Limits, before: Document = NO_DOCUMENT, body_before: bytes = b"") -> bytes:
    """The JSON to store. ``before`` is the document that stands, ``body_before`` its JSON.

    Refuses (DocumentInvalid) more of it, deeper or wider than the limits allow and the document was already, and the
    field that is the registry's own.
    """
    if REGISTRY_FIELD in document:
        problem = f"{REGISTRY_FIELD} is what the registry knows about a document; it can't be stored: leave it out"
        raise DocumentInvalid(problem, at=below("", REGISTRY_FIELD))
    try:
        body = encode_next(document, body_before)
    except RecursionError:
        raise DocumentInvalid(f"the document would be nested more than {limits.body_depth_max} levels deep") from None
    if len(body_before) >= LARGE_BYTES or may_exceed(body, limits=limits):
        check_bounds(document, before=before, limits=limits)
    bytes_max = max(limits.document_bytes_max, len(body_before))
    if len(body) > bytes_max:
        raise DocumentInvalid(f"the document would have {len(body)} bytes of JSON; the most is {bytes_max}")
    return body


class Create(Struct, frozen=True):
    """Create a cluster: ``body`` is the accepted document. With ``replace``, it replaces a document of the same id."""

    id: str
    body: bytes
    warnings: tuple[str, ...] = ()
    replace: bool = False
    document: Document | None = None
    """What ``body`` says, where it is at hand and not large."""
    verb: ClassVar[str] = "create"

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None:
            versions = None if self.document is None else (NO_DOCUMENT, self.document)
            return Decision("created", self.body, self.warnings, versions=versions)
        if not self.replace:
            raise ClusterExists(f"a cluster with the id {self.id!r} exists already; update it with PUT", at="/id")
        if current.body == self.body:
            return Decision(None, self.body, self.warnings)
        return Decision("updated", self.body, self.warnings)

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        return decode_stored(self.body)


class RegistryFields(Protocol):
    """Gives what the registry knows about a cluster, as of now. May be asked from any thread."""

    def of(self, entry: Current, /) -> Document:
        """The fields of ``_registry``."""
        ...


def is_met(
    condition: Filter, document: Document, current: Current, facts: RegistryFields | None, budget: RequestBudget
) -> bool:
    """Whether the document that is stored as ``current`` meets a condition, which looks at ``facts`` if at all."""
    if facts is not None:
        document = {**document, REGISTRY_FIELD: facts.of(current)}
    return compile_filter(condition, work=budget)(document)


class Returned(Struct, frozen=True):
    """The document that answers an update: that before it or after it, and a part of it where there is a projection."""

    before: bool
    projection: Projection | None


class Update(Struct, frozen=True):
    """Edit a cluster's document, when it meets ``condition``.

    ``is_large``: the edit or the condition has very many values, so deciding takes long, whatever the document.
    ``facts`` are there when the condition looks at ``_registry``; ``returned`` when the answer is not all of the
    document after the update. ``notes`` are what the caller should know about the condition. With ``upsert`` a cluster
    that is not there is created, as the update makes it of ``{"id": id}``; the condition is about clusters that are.
    """

    id: str
    edit: Edit
    rules: SchemaRules
    condition: Filter | None = None
    precondition: Precondition = ANY_REVISION
    limits: Limits = DEFAULT_LIMITS
    facts: RegistryFields | None = None
    is_large: bool = False
    returned: Returned | None = None
    notes: tuple[str, ...] = ()
    upsert: bool = False
    verb: ClassVar[str] = "update"

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None and self.upsert:
            return self._created(budget)
        if current is None:
            raise ClusterNotFound(f"no cluster has the id {self.id!r}")
        self.precondition.check(current.revision)
        before = decode_stored(current.body)
        if self.condition is not None and not is_met(self.condition, before, current, self.facts, budget):
            problem = 'the document does not meet the condition given as "filter"'
            raise PreconditionFailed(". ".join((problem, *self.notes)), at="/filter")
        after = self.proposed(before, budget)
        if after is before:
            return Decision(None, current.body, self.notes, answer=self._answer(before, before, budget))
        accepted = accept_update(before, after, touched=self.edit.touched, rules=self.rules)
        decision = updated(current, before, accepted, limits=self.limits)
        answer = self._answer(before, accepted.document, budget)
        if answer is None and not self.notes:
            return decision
        return replace(decision, answer=answer, warnings=(*self.notes, *decision.warnings))

    def _created(self, budget: RequestBudget) -> Decision:
        if self.precondition.matches is not None:
            raise PreconditionFailed(f"no cluster has the id {self.id!r}, so it has no revision that If-Match names")
        nothing: Document = {"id": self.id}
        after = compile_edit(self.edit, work=budget, inserts=True)(nothing)
        check_same_id(nothing, after)
        accepted = accept_new(after, rules=self.rules)
        body = encoded(accepted.document, limits=self.limits)
        is_wanted_before = self.returned is not None and self.returned.before
        answer = b"null" if is_wanted_before else self._answer(nothing, accepted.document, budget)
        return Decision("created", body, (*self.notes, *accepted.warnings), answer=answer)

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        return compile_edit(self.edit, work=budget)(before)

    def _answer(self, before: Document, after: Document, budget: RequestBudget) -> bytes | None:
        """What the caller wants instead of the document after the update, as JSON; None: nothing else."""
        returned = self.returned
        if returned is None:
            return None
        document = before if returned.before else after
        if returned.projection is not None:
            filter = self.condition if self.facts is None else self.edit.filter
            document = compile_projection(returned.projection, filter=filter, work=budget)(document)
        return encode_json(document)


class Delete(Struct, frozen=True):
    """Strike a cluster off the roll. Refuses (ClusterProtected) one that is protected, whatever the precondition."""

    id: str
    precondition: Precondition = ANY_REVISION
    verb: ClassVar[str] = "delete"

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None:
            raise ClusterNotFound(f"no cluster has the id {self.id!r}")
        if current.protected:
            raise ClusterProtected(
                f"the cluster {self.id!r} is protected: take the protection away first (DELETE "
                f"/clusters/{self.id}/protection)"
            )
        self.precondition.check(current.revision)
        return Decision("deleted", None)

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        return before
