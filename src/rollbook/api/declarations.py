"""What an operation of the HTTP API declares about itself.

One rule: what is declared here is what the server does. Routes, ``Allow``, metric labels, the gate for parameters, the
reference and ``/openapi.json`` are all made from these rows, and the tests compare every answer with its row.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeAlias, TypeVar, cast

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api.asking import parsed_optional_body, registry_of, required
from rollbook.api.problems import problem
from rollbook.documents.values import Maybe
from rollbook.errors import RegistryError
from rollbook.limits import Limits

T = TypeVar("T")
P = ParamSpec("P")

Schema: TypeAlias = Mapping[str, Any]
"""A JSON Schema (2020-12); ``reference`` points to one of ``schemas.COMPONENTS``."""

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]

Verb: TypeAlias = Literal[
    "read",
    "watch",
    "history",
    "create",
    "update",
    "delete",
    "restore",
    "protect",
    "nodes",
    "heartbeat",
    "webhooks",
    "tokens",
    "roles",
    "backup",
    "metrics",
    "explain",
    "audit",
    "debug",
]
"""What a caller needs the permission for."""

JSON, JSON_SCHEMA, PROBLEM_JSON, NDJSON, MERGE_PATCH, JSON_PATCH, CSV = (
    "application/json",
    "application/schema+json",
    "application/problem+json",
    "application/x-ndjson",
    "application/merge-patch+json",
    "application/json-patch+json",
    "text/csv",
)
READING_VERBS = frozenset({"read", "watch", "history", "explain"})
PARAMETERS = "rollbook.parameters"
"""Where the gate leaves the parsed parameters in the scope of a request."""


@dataclass(frozen=True, slots=True)
class Parameter(Generic[T]):
    """A parameter of the query string. ``parse`` refuses (RequestRefused) a value that it does not understand.

    ``lists``: it may be repeated, and hold several values separated by commas.
    """

    name: str
    parse: Callable[[str, Limits], T]
    meaning: str
    schema: Schema
    default: T
    lists: bool = False

    def of(self, request: Request) -> T:
        """The parsed value in a request for an operation that declares this parameter."""
        return cast(T, request.scope[PARAMETERS][self.name])

    def with_default(self, default: T) -> "Parameter[T]":
        """The same parameter where another value is the default."""
        return replace(self, default=default)


@dataclass(frozen=True, slots=True)
class Header:
    """A header of requests or of answers. ``example`` is a value that it may have."""

    name: str
    meaning: str
    example: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Body(Generic[P, T]):
    """The body of a request: what parses it, its JSON Schema, an example, and what it is in the reference (Markdown).

    ``options``: the members that a caller may have meant to send when they come as parameters. ``others``: the schema
    and an example of media types whose bodies are of another form.
    """

    parse: Callable[Concatenate[Any, P], T]
    schema: Schema
    meaning: str
    example: Any
    optional: bool = False
    options: tuple[str, ...] = ()
    media_types: tuple[str, ...] = (JSON,)
    others: Mapping[str, tuple[Schema, Any]] = field(default_factory=dict)

    async def of(self, request: Request, *args: P.args, **kwargs: P.kwargs) -> T:
        """The parsed body of a request; MISSING is parsed where an optional one is empty."""

        def parsed(value: Maybe) -> T:
            return self.parse(value if self.optional else required(value), *args, **kwargs)

        return await parsed_optional_body(request, parsed, limits=registry_of(request).limits)


@dataclass(frozen=True, slots=True)
class Answer:
    """How an operation answers when it does what it was asked. ``meaning`` is Markdown; ``schema`` None: no body."""

    status: int
    meaning: str
    schema: Schema | None = None
    headers: tuple[Header, ...] = ()
    media_types: tuple[str, ...] = (JSON,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A row of the table. Errors in ``refuses`` come beside those that every operation may answer with (ANYWHERE).

    ``path``: a last segment ``{name:path}`` takes the rest of an address, slashes included.
    ``verb``: None where anybody may ask; ``verb_instead`` is as good. ``audited``: it is in the audit log before it is
    answered. ``refused`` makes the answer to a refusal.
    ``ignores_parameters``: parameters that are not declared are passed over, as probes and scrapers expect.
    ``answers_any_host``: asked under any name, for probes know addresses only.
    ``streams``: the answer has no end of its own. ``reads_lines``: a POST whose body is read while it arrives.
    ``shortcut``: plain requests are answered by ``serving`` without the application.
    """

    name: str
    method: str
    path: str
    handler: Handler
    tag: str
    summary: str
    verb: Verb | None
    answers: tuple[Answer, ...]
    parameters: tuple[Parameter[Any], ...] = ()
    headers: tuple[Header, ...] = ()
    body: Body[..., Any] | None = None
    refuses: tuple[type[RegistryError], ...] = ()
    refused: Callable[[RegistryError], Response] = problem
    ignores_parameters: bool = False
    answers_any_host: bool = False
    shortcut: bool = False
    streams: bool = False
    reads_lines: bool = False
    verb_instead: Verb | None = None
    audited: bool = False
    template: str = field(init=False)
    """The path as people write it, and as metrics are labelled: ``/clusters/{id}/nodes/{node_id}``."""
    takes_freshness: bool = field(init=False)
    """Whether it reads clusters, so that a caller may say how new the answer has to be."""
    defaults: Mapping[str, Any] = field(init=False)
    """The values of all parameters where none is given."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "template", self.path.replace(":path}", "}"))
        object.__setattr__(self, "takes_freshness", self.verb in READING_VERBS and not self.ignores_parameters)
        object.__setattr__(self, "defaults", {each.name: each.default for each in self.parameters})


OF_BODIES = (
    errors.MalformedJson,
    errors.JsonTooDeep,
    errors.BodyIncomplete,
    errors.HeadIncomplete,
    errors.MisdirectedRequest,
    errors.Overloaded,
    errors.BodyTooLarge,
    errors.MediaTypeUnsupported,
)
"""What any operation with a body may refuse."""

OF_JOURNALS = (
    errors.JournalUnavailable,
    errors.AppendUndecided,
    errors.JournalForbidden,
    errors.JournalDamaged,
    errors.JournalConflict,
)
"""What any operation may fail with because of the disk, or of another writer."""

OF_CALLERS = (
    errors.Unauthenticated,
    errors.PermissionDenied,
    errors.CrossOriginRefused,
    errors.TooManyWrongTokens,
    errors.RateExceeded,
)
"""What any operation may refuse because of who asks."""

ANYWHERE = (
    errors.RequestRefused,
    errors.RouteNotFound,
    errors.MethodNotAllowed,
    errors.HeadTooLarge,
    errors.WorkExceeded,
    errors.RevisionNotReached,
    *OF_JOURNALS,
    *OF_BODIES,
    *OF_CALLERS,
)
"""What any operation may refuse: an unknown parameter, a broken header, an announced body, a disk that is full."""


def reference(name: str) -> Schema:
    """A reference to the schema ``name`` of ``schemas.COMPONENTS``."""
    return {"$ref": f"#/components/schemas/{name}"}


def array_of(item: Schema) -> Schema:
    """An array of one kind."""
    return {"type": "array", "items": item}
