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

from rollbook.api.compression import Encoded
from rollbook.api.handlers import clusters, history, liveness, nodes, operations, parser, watching, webhooks
from rollbook.api.metrics.request_counts import Counted, RequestCounts
from rollbook.api.metrics.scraping import Scraper
from rollbook.api.problems import mistake, problem
from rollbook.errors import MethodNotAllowed, RegistryError, RequestRefused, RouteNotFound
from rollbook.registry.registry import Registry
from rollbook.view.views import View

logger = logging.getLogger(__name__)

REVISION_HEADER = b"x-registry-revision"


def make_app(registry: Registry, traffic: RequestCounts) -> ASGIApp:
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
    Route("/clusters/{id}", clusters.update_cluster, methods=["PUT"]),  # the most frequent one here is found first
    Route("/clusters", clusters.create_cluster, methods=["POST"]),
    Route("/clusters/query", clusters.query_clusters, methods=["POST"]),
    Route("/clusters/explain", clusters.explain_query, methods=["POST"]),
    Route("/clusters/count", clusters.count_clusters, methods=["POST"]),
    Route("/clusters/aggregate", clusters.aggregate_clusters, methods=["POST"]),
    Route("/clusters/facets", clusters.facet_clusters, methods=["POST"]),
    Route("/clusters/watch", watching.watch_by_address, methods=["GET"]),
    Route("/clusters/watch", watching.watch_by_body, methods=["POST"]),
    Route("/clusters/{id}", clusters.read_cluster, methods=["GET"]),
    Route("/clusters/{id}", clusters.delete_cluster, methods=["DELETE"]),
    Route("/clusters/{id}/history", history.read_history, methods=["GET"]),
    Route("/clusters/{id}/restore", history.restore_cluster, methods=["POST"]),
    Route("/clusters/{id}/protection", history.protect_cluster, methods=["PUT"]),
    Route("/clusters/{id}/protection", history.unprotect_cluster, methods=["DELETE"]),
    Route("/changes", history.read_changes, methods=["GET"]),
    Route("/clusters/{id}/nodes", nodes.read_nodes, methods=["GET"]),
    Route("/clusters/{id}/nodes", nodes.join_node, methods=["POST"]),
    Route("/clusters/{id}/nodes", nodes.synchronise_nodes, methods=["PUT"]),
    Route("/clusters/{id}/nodes/{node_id:path}", nodes.read_node, methods=["GET"]),
    Route("/clusters/{id}/nodes/{node_id:path}", nodes.replace_node, methods=["PUT"]),
    Route("/clusters/{id}/nodes/{node_id:path}", nodes.patch_node, methods=["PATCH"]),
    Route("/clusters/{id}/nodes/{node_id:path}", nodes.remove_node, methods=["DELETE"]),
    Route("/clusters/{id}/heartbeat", liveness.beat, methods=["POST"]),
    Route("/clusters/{id}/uptime", liveness.read_uptime, methods=["GET"]),
    Route("/webhooks", webhooks.list_webhooks, methods=["GET"]),
    Route("/webhooks", webhooks.create_webhook, methods=["POST"]),
    Route("/webhooks/{id}", webhooks.read_webhook, methods=["GET"]),
    Route("/webhooks/{id}", webhooks.replace_webhook, methods=["PUT"]),
    Route("/webhooks/{id}", webhooks.patch_webhook, methods=["PATCH"]),
    Route("/webhooks/{id}", webhooks.delete_webhook, methods=["DELETE"]),
    Route("/webhooks/{id}/replay", webhooks.replay_webhook, methods=["POST"]),
    Route("/webhooks/{id}/dead-letters", webhooks.list_dead_letters, methods=["GET"]),
    Route("/webhooks/{id}/dead-letters", webhooks.drop_dead_letters, methods=["DELETE"]),
    Route("/webhooks/{id}/dead-letters/retry", webhooks.retry_dead_letters, methods=["POST"]),
    Route("/webhooks/{id}/dead-letters/{number}", webhooks.read_dead_letter, methods=["GET"]),
    Route("/webhooks/{id}/dead-letters/{number}", webhooks.drop_dead_letter, methods=["DELETE"]),
    Route("/webhooks/{id}/dead-letters/{number}/retry", webhooks.retry_dead_letter, methods=["POST"]),
    Route("/api/createCluster", parser.create_from_spec, methods=["POST"]),
    Route("/api/addNode", parser.add_node, methods=["POST"]),
    Route("/api/filter", parser.filter_with_envelope, methods=["POST"]),
    Route("/api/no-ir/filter", parser.filter_without_envelope, methods=["POST"]),
    Route("/healthz", operations.healthz, methods=["GET"]),
    Route("/readyz", operations.readyz, methods=["GET"]),
    Route("/metrics", operations.metrics, methods=["GET"]),
]
