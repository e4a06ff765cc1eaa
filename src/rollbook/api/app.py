"""The application: a table of contents of what HTTP can ask.

One rule: nothing redirects. A trailing slash is the same address.
"""

import logging

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rollbook.api import (
    handlers,
    history_handlers,
    liveness_handlers,
    node_handlers,
    operations_handlers,
    parser_handlers,
    watch_handlers,
    webhook_handlers,
)
from rollbook.api.encodings import Encoded
from rollbook.api.metrics.scraping import Scraper
from rollbook.api.problems import mistake, problem
from rollbook.api.traffic import Counted, Traffic
from rollbook.errors import MethodNotAllowed, RegistryError, RequestRefused, RouteNotFound
from rollbook.registry.registry import Registry
from rollbook.view.views import View

logger = logging.getLogger(__name__)

REVISION_HEADER = b"x-registry-revision"


def make_app(registry: Registry, traffic: Traffic) -> ASGIApp:
    """The ASGI application that serves ``registry``, and counts what it answers in ``traffic``."""
    app = Starlette(
        routes=ROUTES,
        exception_handlers={RegistryError: refused, HTTPException: no_such_route, Exception: failed},
    )
    app.router.redirect_slashes = False
    app.state.registry = registry
    app.state.scraper = Scraper(registry, traffic)
    counted = Counted(app, traffic, {route.endpoint: template_of(route) for route in ROUTES})
    return Encoded(WithRevision(WithoutTrailingSlash(counted), registry.view))


class WithoutTrailingSlash:
    """Gives the application each path without its trailing slashes. One that is percent-encoded belongs to a name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["raw_path"].endswith(b"/"):
            slashes = len(scope["raw_path"]) - len(scope["raw_path"].rstrip(b"/"))
            scope = {**scope, "path": scope["path"][:-slashes] or "/"}
        await self._app(scope, receive, send)


class WithRevision:
    """Tells with every answer the newest revision that it can have seen, where the answer does not tell it itself."""

    def __init__(self, app: ASGIApp, view: View) -> None:
        self._app = app
        self._view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and not any(
                name == REVISION_HEADER for name, _ in message["headers"]
            ):
                message["headers"].append((REVISION_HEADER, b"%d" % self._view.revision))
            await send(message)

        await self._app(scope, receive, told if scope["type"] == "http" else send)


async def refused(request: Request, error: Exception) -> Response:
    """The answer to whatever a handler refused."""
    assert isinstance(error, RegistryError)
    return problem(error)


async def no_such_route(request: Request, error: Exception) -> Response:
    """The answer to an address or a method that no route has."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = allowed_methods(request)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": allowed})
        refusal = MethodNotAllowed(f"{request.url.path} takes {allowed}, not {request.method}")
        return problem(refusal, headers={"allow": allowed})
    if error.status_code == 404:
        return problem(RouteNotFound(f"there is nothing at {request.url.path}; clusters are at /clusters/{{id}}"))
    return problem(RequestRefused(error.detail))


async def failed(request: Request, error: Exception) -> Response:
    """The answer to a fault of ours: it says so, and the log says why."""
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return mistake()


def allowed_methods(request: Request) -> str:
    """The methods of all routes at the request's path, for ``Allow``."""
    path = request.scope["path"]
    methods = {method for route in ROUTES if route.path_regex.match(path) for method in route.methods or ()}
    return ", ".join(sorted(methods | {"OPTIONS"}))


def template_of(route: Route) -> str:
    """The path of a route as people write it: ``/clusters/{id}/nodes/{node_id}``."""
    return route.path.replace(":path}", "}")


ROUTES = [
    Route("/clusters/{id}", handlers.update_cluster, methods=["PUT"]),  # the most frequent one here is found first
    Route("/clusters", handlers.create_cluster, methods=["POST"]),
    Route("/clusters/query", handlers.query_clusters, methods=["POST"]),
    Route("/clusters/explain", handlers.explain_query, methods=["POST"]),
    Route("/clusters/count", handlers.count_clusters, methods=["POST"]),
    Route("/clusters/aggregate", handlers.aggregate_clusters, methods=["POST"]),
    Route("/clusters/facets", handlers.facet_clusters, methods=["POST"]),
    Route("/clusters/watch", watch_handlers.watch_by_address, methods=["GET"]),
    Route("/clusters/watch", watch_handlers.watch_by_body, methods=["POST"]),
    Route("/clusters/{id}", handlers.read_cluster, methods=["GET"]),
    Route("/clusters/{id}", handlers.delete_cluster, methods=["DELETE"]),
    Route("/clusters/{id}/history", history_handlers.read_history, methods=["GET"]),
    Route("/clusters/{id}/restore", history_handlers.restore_cluster, methods=["POST"]),
    Route("/clusters/{id}/protection", history_handlers.protect_cluster, methods=["PUT"]),
    Route("/clusters/{id}/protection", history_handlers.unprotect_cluster, methods=["DELETE"]),
    Route("/changes", history_handlers.read_changes, methods=["GET"]),
    Route("/clusters/{id}/nodes", node_handlers.read_nodes, methods=["GET"]),
    Route("/clusters/{id}/nodes", node_handlers.join_node, methods=["POST"]),
    Route("/clusters/{id}/nodes", node_handlers.synchronise_nodes, methods=["PUT"]),
    Route("/clusters/{id}/nodes/{node_id:path}", node_handlers.read_node, methods=["GET"]),
    Route("/clusters/{id}/nodes/{node_id:path}", node_handlers.replace_node, methods=["PUT"]),
    Route("/clusters/{id}/nodes/{node_id:path}", node_handlers.patch_node, methods=["PATCH"]),
    Route("/clusters/{id}/nodes/{node_id:path}", node_handlers.remove_node, methods=["DELETE"]),
    Route("/clusters/{id}/heartbeat", liveness_handlers.beat, methods=["POST"]),
    Route("/clusters/{id}/uptime", liveness_handlers.read_uptime, methods=["GET"]),
    Route("/webhooks", webhook_handlers.list_webhooks, methods=["GET"]),
    Route("/webhooks", webhook_handlers.create_webhook, methods=["POST"]),
    Route("/webhooks/{id}", webhook_handlers.read_webhook, methods=["GET"]),
    Route("/webhooks/{id}", webhook_handlers.replace_webhook, methods=["PUT"]),
    Route("/webhooks/{id}", webhook_handlers.patch_webhook, methods=["PATCH"]),
    Route("/webhooks/{id}", webhook_handlers.delete_webhook, methods=["DELETE"]),
    Route("/webhooks/{id}/replay", webhook_handlers.replay_webhook, methods=["POST"]),
    Route("/webhooks/{id}/dead-letters", webhook_handlers.list_dead_letters, methods=["GET"]),
    Route("/webhooks/{id}/dead-letters", webhook_handlers.drop_dead_letters, methods=["DELETE"]),
    Route("/webhooks/{id}/dead-letters/retry", webhook_handlers.retry_dead_letters, methods=["POST"]),
    Route("/webhooks/{id}/dead-letters/{number}", webhook_handlers.read_dead_letter, methods=["GET"]),
    Route("/webhooks/{id}/dead-letters/{number}", webhook_handlers.drop_dead_letter, methods=["DELETE"]),
    Route("/webhooks/{id}/dead-letters/{number}/retry", webhook_handlers.retry_dead_letter, methods=["POST"]),
    Route("/api/createCluster", parser_handlers.create_from_spec, methods=["POST"]),
    Route("/api/addNode", parser_handlers.add_node, methods=["POST"]),
    Route("/api/filter", parser_handlers.filter_with_envelope, methods=["POST"]),
    Route("/api/no-ir/filter", parser_handlers.filter_without_envelope, methods=["POST"]),
    Route("/healthz", operations_handlers.healthz, methods=["GET"]),
    Route("/readyz", operations_handlers.readyz, methods=["GET"]),
    Route("/metrics", operations_handlers.metrics, methods=["GET"]),
]
