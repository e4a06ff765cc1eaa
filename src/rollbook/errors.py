"""Every refusal and failure that Rollbook can name, in one tree.

An error says *what* (its class and ``code``), *where* (``at``, a JSON Pointer into the request body) and *why* (its
message; the class docstring when none is given). Where MongoDB has an error code for the same fact, ``mongo_code``
carries it. This module knows nothing of HTTP: ``api/`` maps classes to statuses, ``cli/`` maps them to exit codes.
"""

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct


def below(at: str, key: str | int) -> str:
    """The JSON Pointer (RFC 6901) of member or element ``key`` of the value at ``at``."""
    text = str(key)
    if "~" in text or "/" in text:
        text = text.replace("~", "~0").replace("/", "~1")
    return f"{at}/{text}"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the system gave no memory, for data or for another thread: Python has an error for each."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "start new thread" in str(error))


class Problem(Struct, frozen=True):
    """One thing that is wrong with a document: where (a JSON Pointer) and what (a sentence)."""

    at: str
    problem: str


class RegistryError(Exception):
    """Something that the registry was asked for did not happen."""

    code: ClassVar[str] = "registry-error"

    def __init__(
        self,
        message: str | None = None,
        *,
        at: str = "",
        mongo_code: int | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        self.at = at
        self.mongo_code = mongo_code
        self.problems = tuple(problems)
        super().__init__(self.message)


class RequestRefused(RegistryError):
    """The request is not one that this registry understands."""

    code = "request-refused"


class MalformedJson(RequestRefused):
    """The body is not JSON."""

    code = "malformed-json"


class JsonTooDeep(RequestRefused):
    """The JSON is nested too deeply, one object has too many members, or there are too many values."""

    code = "json-too-deep"


class BodyTooLarge(RequestRefused):
    """The body is larger than this registry accepts."""

    code = "body-too-large"


class BodyIncomplete(RequestRefused):
    """The body did not come to its end."""

    code = "body-incomplete"


class HeadIncomplete(RequestRefused):
    """The headers of the request did not come to their end."""

    code = "head-incomplete"


class HeadTooLarge(RequestRefused):
    """The head of the request, its address and headers, is larger than this registry accepts."""

    code = "head-too-large"


class MisdirectedRequest(RequestRefused):
    """The registry does not answer to the name in the request's Host header."""

    code = "misdirected-request"


class Overloaded(RequestRefused):
    """The registry has as many requests waiting as it takes, or is stopping."""

    code = "overloaded"


class MediaTypeUnsupported(RequestRefused):
    """The body must be JSON, and say so: Content-Type: application/json."""

    code = "media-type-unsupported"


class RouteNotFound(RequestRefused):
    """There is nothing at this address."""

    code = "route-not-found"


class MethodNotAllowed(RequestRefused):
    """This address does not take this method."""

    code = "method-not-allowed"


class IdRefused(RequestRefused):
    """The id can't be a cluster's id."""

    code = "id-refused"


class HeartbeatRefused(RequestRefused):
    """The body of a heartbeat says something that it can't say."""

    code = "heartbeat-refused"


class CursorRefused(RequestRefused):
    """This is no cursor of this request, or it has expired."""

    code = "cursor-refused"


class ClusterNotFound(RegistryError):
    """No cluster has this id."""

    code = "cluster-not-found"


class ClusterDeleted(RegistryError):
    """The cluster with this id was deleted."""

    code = "cluster-deleted"


class ClusterExists(RegistryError):
    """A cluster with this id exists already."""

    code = "cluster-exists"


class ClusterProtected(RegistryError):
    """The cluster is protected against deletion."""

    code = "cluster-protected"


class Unauthenticated(RegistryError):
    """The request does not say who sends it, or says so with a token that is not in force."""

    code = "unauthenticated"


class TooManyWrongTokens(RegistryError):
    """Too many requests with wrong tokens have come from this address."""

    code = "too-many-wrong-tokens"


class RateExceeded(RegistryError):
    """The caller sends more requests than it may."""

    code = "rate-exceeded"


class TooManyWatches(RegistryError):
    """The caller has as many watches as it may."""

    code = "too-many-watches"


class PermissionDenied(RegistryError):
    """The caller may not do this."""

    code = "permission-denied"


class TokenNotFound(RegistryError):
    """No token has this id."""

    code = "token-not-found"


class TokenExists(RegistryError):
    """A token has this name already."""

    code = "token-exists"


class RoleNotFound(RegistryError):
    """There is no role of this name."""

    code = "role-not-found"


class RoleInUse(RegistryError):
    """Tokens have this role."""

    code = "role-in-use"


class CrossOriginRefused(RegistryError):
    """A page of another origin may not change anything here."""

    code = "cross-origin-refused"


class NodeNotFound(RegistryError):
    """The cluster has no node with this id."""

    code = "node-not-found"


class NodeExists(RegistryError):
    """The cluster has a node with this id already."""

    code = "node-exists"


class PreconditionFailed(RegistryError):
    """The document is not what the request requires it to be."""

    code = "precondition-failed"


class RevisionNotReached(RegistryError):
    """The registry has not come to the revision that the request asks for."""

    code = "revision-not-reached"


class DocumentInvalid(RegistryError):
    """The resulting document breaks the schema of clusters."""

    code = "document-invalid"


class IdempotencyKeyReused(RegistryError):
    """The idempotency key was sent before, with another request."""

    code = "idempotency-key-reused"


class BatchRefused(RegistryError):
    """Another write of the same atomic batch was refused, so none of them was done."""

    code = "batch-refused"


class JournalUnavailable(RegistryError):
    """The journal can't be written: nothing was changed, and reads go on."""

    code = "journal-unavailable"


class AppendUndecided(RegistryError):
    """It is not known whether the write was done: read what is there, then decide."""

    code = "outcome-unknown"


class JournalForbidden(JournalUnavailable):
    """The data directory may not be written: it is read-only, or belongs to somebody else."""

    code = "journal-forbidden"


class JournalDamaged(JournalUnavailable):
    """A file of the data directory is damaged."""

    code = "journal-damaged"


class JournalConflict(RegistryError):
    """Another writer appended to the journal first."""

    code = "journal-conflict"


class Compacted(RegistryError):
    """The past that was asked for is no longer kept."""

    code = "compacted"


class TooManyWatchers(RegistryError):
    """There are as many watchers as this registry takes: try again later."""

    code = "too-many-watchers"


class WebhookRefused(RequestRefused):
    """The webhook is not one that this registry could deliver to."""

    code = "webhook-refused"


class SessionRefused(RequestRefused):
    """A session can't be opened in the clear."""

    code = "session-refused"


class WebhookNotFound(RegistryError):
    """No webhook has this id."""

    code = "webhook-not-found"


class WebhookExists(RegistryError):
    """A webhook with this id exists already."""

    code = "webhook-exists"


class DeadLetterNotFound(RegistryError):
    """The webhook has no dead letter with this number."""

    code = "dead-letter-not-found"


class TooManyWebhooks(RegistryError):
    """There are as many webhooks as this registry takes."""

    code = "too-many-webhooks"


class DataDirectoryLocked(RegistryError):
    """Another process uses this data directory."""

    code = "data-directory-locked"


class DataDirectoryUnsound(RegistryError):
    """The data directory does not hold what a sound registry holds."""

    code = "data-directory-unsound"


class BackupRefused(RegistryError):
    """The file is not a whole and sound backup."""

    code = "backup-refused"


class ChangesLost(DataDirectoryUnsound):
    """The journal has lost changes that other files of the data directory know of."""

    code = "changes-lost"


class RegistryUnreachable(RegistryError):
    """No registry answers at this address."""

    code = "registry-unreachable"
    may_be_done = False
    """Whether what was asked for may have been done: it was sent, and its answer was lost."""


class SettingRefused(RegistryError):
    """A setting has a value that it can't have."""

    code = "setting-refused"


class LanguageRefused(RegistryError):
    """The request does not follow MongoDB's query or update language."""

    code = "language-refused"


class FilterRefused(LanguageRefused):
    """The filter does not follow MongoDB's query language."""

    code = "filter-refused"


class UpdateRefused(LanguageRefused):
    """The update does not follow MongoDB's update language, or can't be applied to this document."""

    code = "update-refused"


class IdImmutable(UpdateRefused):
    """The id of a document can't change."""

    code = "id-immutable"


class ExpressionRefused(LanguageRefused):
    """The expression does not follow MongoDB's aggregation language, or can't be evaluated on this document."""

    code = "expression-refused"


class ProjectionRefused(LanguageRefused):
    """The projection does not follow MongoDB's query language."""

    code = "projection-refused"


class SortRefused(LanguageRefused):
    """The sort is not an object of paths and directions."""

    code = "sort-refused"


class PipelineRefused(LanguageRefused):
    """The pipeline does not follow MongoDB's aggregation language."""

    code = "pipeline-refused"


class WorkExceeded(LanguageRefused):
    """The request needs more time or memory than one request may spend."""

    code = "work-exceeded"
