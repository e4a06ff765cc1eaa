"""The routes for whoever operates the registry: is it alive, is it ready, how does it do."""

from starlette.requests import Request
from starlette.responses import Response

from rollbook import __version__
from rollbook.api.handlers.clusters import registry_of
from rollbook.api.metrics.scraping import MEDIA_TYPE, Scraper
from rollbook.api.responses import json_response
from rollbook.documents.values import Value
from rollbook.view.views import View


async def healthz(request: Request) -> Response:
    """``GET /healthz``: the process is alive."""
    return json_response({"status": "ok", "version": __version__})


async def metrics(request: Request) -> Response:
    """``GET /metrics``: the figures of now, for Prometheus."""
    scraper: Scraper = request.app.state.scraper
    return Response(await scraper.text(), media_type=MEDIA_TYPE)


async def readyz(request: Request) -> Response:
    """``GET /readyz``: the registry answers reads; ``writable`` says whether its last write reached the disk.

    Changes up to the revision ``compacted`` are no longer kept; ``snapshot`` says as of which revision the index is on
    the disk, and why a newer one could not be written; ``liveness`` says why silences are not written down.
    """
    registry = registry_of(request)
    trouble = registry.journal.trouble or registry.committer.trouble
    return json_response(
        {
            "status": "ready",
            "writable": trouble is None,
            **({"trouble": trouble} if trouble else {}),
            "revision": registry.view.revision,
            "clusters": len(registry.view),
            "compacted": registry.compactor.mark,
            "snapshot": snapshot_as_json(registry.view),
            "liveness": registry.liveness.as_json(),
        }
    )


def snapshot_as_json(view: View) -> dict[str, Value]:
    """What ``/readyz`` says of the snapshot of the index."""
    trouble = view.snapshot_trouble
    return {"revision": view.snapshot_revision, **({"trouble": trouble} if trouble else {})}
