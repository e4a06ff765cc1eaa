"""Bringing back what was: a cluster as it was at a revision, or a deleted one as it was last.

One rule: a restored document is judged like the result of any update: by what it is, measured against what stands, or
stood last. So what was never sound before, or no longer is by today's rules, is refused, and what stood last is not.

A status that the registry itself wrote over another one, for a cluster that was silent, is nobody's word: the status
that it stood over is restored, unless the cluster is unreachable now.
"""

from typing import ClassVar

from msgspec import Struct

from rollbook.clusters.acceptance import SchemaRules, accept_update
from rollbook.clusters.large_documents import decode_stored
from rollbook.clusters.liveness import STATUS, StatusOverride, status_in
from rollbook.documents.editing import with_members
from rollbook.documents.values import MISSING, Document, Maybe, is_integer
from rollbook.errors import ClusterExists, ClusterNotFound, PreconditionFailed, RequestRefused, below
from rollbook.limits import DEFAULT_LIMITS, Limits, RequestBudget
from rollbook.registry.history.history import History
from rollbook.registry.history.moments import AtRevision
from rollbook.registry.liveness.status_overrides import StatusWords
from rollbook.registry.writing.commands import Current, Decision, encoded
from rollbook.registry.writing.preconditions import ANY_REVISION, Precondition
from rollbook.security.callers import Caller

WHOLE_DOCUMENT = frozenset({()})


class Restore(Struct, frozen=True):
    """Make a cluster what it was: ``body``, at ``revision``; None: as it was before its deletion.

    ``last`` is the newest document there was, the measure for a cluster that is deleted; both are as the caller sees
    them, and ``whole`` is all of the last. ``mark`` is the status that the registry had written into ``body`` for a
    silent cluster, and the one it wrote it over; None: it had not.
    """

    id: str
    revision: int | None
    body: bytes
    last: bytes
    rules: SchemaRules
    precondition: Precondition = ANY_REVISION
    limits: Limits = DEFAULT_LIMITS
    mark: StatusOverride | None = None
    whole: bytes | None = None
    verb: ClassVar[str] = "restore"

    @property
    def reason(self) -> str:
        """Why, for a caller who does not say."""
        return "restored after its deletion" if self.revision is None else f"restored as of revision {self.revision}"

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None:
            if self.precondition.matches is not None:
                raise PreconditionFailed(f"the cluster {self.id!r} is deleted, and has no revision that If-Match names")
            body, warnings = self._judged(self.last, is_unreachable=False)
            return Decision("created", body, warnings, restored=self.whole)
        if self.revision is None:
            raise ClusterExists(
                f'the cluster {self.id!r} is not deleted; say which version it shall be again: {{"revision": number}}'
            )
        self.precondition.check(current.revision)
        is_unreachable = self.mark is not None and status_in(current.body) == self.mark.written
        body, warnings = self._judged(current.body, is_unreachable=is_unreachable)
        return Decision(None if body == current.body else "updated", body, warnings)

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        return decode_stored(self.body)

    def _judged(self, measure: bytes, *, is_unreachable: bool) -> tuple[bytes, tuple[str, ...]]:
        """The JSON to store and its warnings, measured against the document that stands or stood last."""
        before = decode_stored(measure)
        after = before if self.body == measure else decode_stored(self.body)
        if self.mark is not None and not is_unreachable:
            after = with_members(after, {STATUS: self.mark.former})
        accepted = accept_update(before, after, touched=WHOLE_DOCUMENT, rules=self.rules)
        return encoded(accepted.document, limits=self.limits, before=before, body_before=measure), accepted.warnings


async def restoration(
    caller: Caller,
    history: History,
    id: str,
    revision: int | None,
    *,
    rules: SchemaRules,
    precondition: Precondition,
    limits: Limits,
    words: StatusWords,
) -> Restore:
    """The command that restores a cluster. Refuses what the caller never saw (ClusterNotFound) or is gone (Compacted).

    ``words`` are the statuses that the registry itself writes.
    """
    version = None if revision is None else await history.version(caller, id, AtRevision(revision))
    whole = await history.last_body(caller, id)
    last = caller.access.reads.body(whole) or (None if version is None else version.body)
    if last is None:
        raise ClusterNotFound(f"the cluster {id!r} was not there for you before it was deleted")
    body = last if version is None else version.body
    mark = words.override_of(status_in(body), await history.status(caller, id, revision))
    return Restore(id, revision, body, last, rules, precondition, limits, mark, whole)


def parse_restore(body: Maybe) -> int | None:
    """The revision that ``{"revision": number}`` names; None when it names none. Refuses (RequestRefused) all else."""
    if body is MISSING:
        return None
    if not isinstance(body, dict):
        raise RequestRefused('the body must be an object: {"revision": number}, or {} for a deleted cluster')
    for name in body:
        if name != "revision":
            raise RequestRefused(f"{name!r} is not known here; the body can only hold 'revision'", at=below("", name))
    if "revision" not in body:
        return None
    revision = body["revision"]
    if not is_integer(revision) or revision < 0:
        raise RequestRefused("'revision' must be an integer", at="/revision")
    return revision
