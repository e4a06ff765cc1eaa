"""The application: what stands between the server and the handlers.

One rule: nothing redirects. A trailing slash is the same address.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rollbook.api.asking import AUDITED, CHALLENGE, caller_of
from rollbook.api.compression import Encoded
from rollbook.api.declarations import PARAMETERS, READING_VERBS, Operation
from rollbook.api.freshness import be_fresh, was_behind
from rollbook.api.handlers.about import make_pages
from rollbook.api.metrics.caller_counts import NO_VERB
from rollbook.api.metrics.request_counts import ROUTE, Counted, RequestCounts
from rollbook.api.metrics.running_requests import OPERATION
from rollbook.api.metrics.scraping import Scraper
from rollbook.api.observing import Observations
from rollbook.api.operations import OPERATIONS
from rollbook.api.parameters import parameters_of
from rollbook.api.problems import mistake, problem
from rollbook.api.routing import Router
from rollbook.api.showing import EVENT, is_shown
from rollbook.errors import (
    ClusterDeleted,
    ClusterNotFound,
    CursorRefused,
    JournalUnavailable,
    MethodNotAllowed,
    PermissionDenied,
    RegistryError,
    Unauthenticated,
)
from rollbook.registry.following import Follower
from rollbook.registry.registry import Registry
from rollbook.security.callers import Caller
from rollbook.security.security import Security
from rollbook.security.tokens import without_tokens
from rollbook.view.entries import Entry
from rollbook.view.views import View

logger = logging.getLogger(__name__)

REVISION_HEADER = b"x-registry-revision"
READING = frozenset({"GET", "HEAD"})
ENFORCED = frozenset({"tokens", "roles", "audit"})
"""The verbs that are enforced even while a registry only observes: what they change outlasts that."""


def make_app(registry: Registry, security: Security, traffic: RequestCounts) -> ASGIApp:
    """The ASGI application that serves ``registry``, and counts what it answers in ``traffic``."""
    app = Application(OPERATIONS, registry, security, traffic)
    return Encoded(WithRevision(Counted(app, traffic), registry.view, registry.follower))


class Application:
    """Finds the operation that a request asks for, checks its parameters, and runs its handler."""

    def __init__(
        self, operations: Sequence[Operation], registry: Registry, security: Security, traffic: RequestCounts
    ) -> None:
        self.registry = registry
        self.security = security
        self.traffic = traffic
        self.scraper = Scraper(registry, security, traffic)
        self._observations = Observations(registry)
        self.pages = make_pages(operations)
        self._router = Router(operations)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        """The answer to a request; a fault of ours is answered too, and the log says why."""
        try:
            return await self._run(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
            return mistake()

    async def _run(self, request: Request) -> Response:
        scope, raw_path = request.scope, request.scope["raw_path"]
        try:
            operation, names = self._router.find(scope["method"], raw_path)
        except MethodNotAllowed as refusal:
            nearest = self._router.nearest(scope["method"], raw_path)
            scope[ROUTE] = None if nearest is None else nearest.template
            headers = {"allow": self._router.allowed(raw_path)}
            return Response(None, 204, headers) if scope["method"] == "OPTIONS" else problem(refusal, headers=headers)
        except RegistryError as refusal:
            return problem(refusal)
        scope[ROUTE], scope["path_params"], scope[OPERATION] = operation.template, names, operation.name
        caller = caller_of(request)
        self.traffic.callers.of(caller).verbs[operation.verb or NO_VERB] += 1
        try:
            self._check_verb(operation, caller)
            scope[PARAMETERS] = values = parameters_of(operation, scope["query_string"], self.registry.limits)
            if operation.takes_freshness and (values is not operation.defaults or self.registry.follower.is_shared):
                await be_fresh(self.registry, operation, values, request)
            entry = self._named(names) if caller.is_noted else None
            response = await self._handled(operation, request)
            if caller.is_noted and is_shown(operation, caller.access, request.query_params, entry, self._named(names)):
                await self._record(request, operation, EVENT, query=without_tokens(request.url.query))
        except RegistryError as refusal:
            if isinstance(refusal, PermissionDenied):
                await self._audit(request, operation, "refused", problem=refusal.message)
            return operation.refused(refusal)
        if caller.observed is not None:
            self._observations.note(operation, caller, names)
        if operation.audited or (caller.kind == "local" and scope["method"] not in READING):
            await self._audit(request, operation, operation.name, **scope.get(AUDITED, {}))
        return response

    def _named(self, names: Mapping[str, str]) -> Entry | None:
        """The cluster that a path names, as it is now."""
        return self.registry.view.entry(names["id"]) if "id" in names else None

    async def _handled(self, operation: Operation, request: Request) -> Response:
        """The handler's answer. What is not found, another process may have written: catch up, ask again."""
        seen = self.registry.recent.revision
        try:
            return await operation.handler(request)
        except (ClusterNotFound, ClusterDeleted, CursorRefused) as refusal:
            is_plain_read = operation.verb in READING_VERBS and not isinstance(refusal, CursorRefused)
            if is_plain_read or not await was_behind(self.registry, seen):
                raise
            return await operation.handler(request)

    def _check_verb(self, operation: Operation, caller: Caller) -> None:
        """Refuses who may not use the verb of an operation. While the registry only observes, that is noted."""
        try:
            check_verb(operation, caller)
        except RegistryError as refusal:
            is_enforced = caller.observed is None or operation.verb in ENFORCED
            self.traffic.refusals[str(operation.verb), "enforced" if is_enforced else "observed"] += 1
            if is_enforced:
                raise
            logger.warning("would be refused: %s", refusal.message)

    async def _audit(self, request: Request, operation: Operation, event: str, **facts: Any) -> None:
        """Have what was done, or refused, in the audit log. What was done is answered whether or not it is logged."""
        with suppress(JournalUnavailable):  # which is logged, and nothing can be taken back
            await self._record(request, operation, event, **facts)

    async def _record(self, request: Request, operation: Operation, event: str, **facts: Any) -> None:
        scope = request.scope
        address = scope["client"][0]
        more = {
            "address": address,
            "operation": operation.name,
            "path": without_tokens(request.url.path),
            "request": scope.get("request_id", ""),
        }
        await self.security.auditor.record(caller_of(request).name, event, **more, **facts)


def check_verb(operation: Operation, caller: Caller) -> None:
    """Refuses who may not use the verb of an operation: who is not known (Unauthenticated), who is (PermissionDenied).

    One rule: this comes before anything of the request is judged.
    """
    if operation.verb is None or caller.may(operation.verb):
        return
    if operation.verb_instead is not None and caller.may(operation.verb_instead):
        return
    if caller.kind == "anonymous":
        raise Unauthenticated(f"{operation.name} takes the verb {operation.verb!r}; {CHALLENGE}")
    raise PermissionDenied(f"{caller.name} may not {operation.name}: none of its roles has the verb {operation.verb!r}")


class WithRevision:
    """Adds the newest revision that an answer can have seen, where the answer does not name one itself.

    While the engine of a shared journal is not heard, it also adds how old the answer may be.
    """

    def __init__(self, app: ASGIApp, view: View, follower: Follower) -> None:
        self._app = app
        self._view = view
        self._follower = follower

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_revision(message: Message) -> None:
            if message["type"] == "http.response.start" and not any(
                name == REVISION_HEADER for name, _ in message["headers"]
            ):
                message["headers"].append((REVISION_HEADER, b"%d" % self._view.revision))
            if message["type"] == "http.response.start" and self._follower.problem is not None:
                message["headers"].append((b"age", b"%d" % (self._follower.lag_ms // 1000)))
            await send(message)

        await self._app(scope, receive, send_with_revision if scope["type"] == "http" else send)
