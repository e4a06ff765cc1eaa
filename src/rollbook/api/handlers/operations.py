"""The operations for operators: liveness, readiness and metrics."""

from starlette.requests import Request
from starlette.responses import Response

from rollbook import __version__
from rollbook.api.asking import caller_of, registry_of, security_of
from rollbook.api.declarations import Answer, Operation, reference
from rollbook.api.metrics.scraping import MEDIA_TYPE, Scraper
from rollbook.api.responses import json_response
from rollbook.documents.values import Value
from rollbook.registry.backups import Backups
from rollbook.registry.feed.clocks import TrustedClock
from rollbook.registry.following import Follower
from rollbook.registry.liveness.lease_metrics import leases_as_json
from rollbook.security.issued_tokens import IssuerKeys
from rollbook.security.security import Security
from rollbook.view.views import View


async def healthz(request: Request) -> Response:
    """The process is alive."""
    return json_response({"status": "ok", "version": __version__})


async def metrics(request: Request) -> Response:
    """The metrics of now, for Prometheus."""
    scraper: Scraper = request.app.scraper
    return Response(await scraper.text(), media_type=MEDIA_TYPE)


async def readyz(request: Request) -> Response:
    """The registry answers reads. The rest is for callers who may read its metrics.

    ``writable`` says whether its last write reached the disk. Changes up to the revision ``compacted`` are no longer
    kept; ``snapshot`` says as of which revision the index is on the disk, and why a newer one could not be written;
    ``liveness`` says why silences are not written down; ``security`` why the security file on the disk is not in force;
    ``tasks`` names the background tasks that failed lately and were started again.
    """
    registry = registry_of(request)
    if not caller_of(request).may("metrics"):
        return json_response({"status": "ready"})
    problem = registry.journal.problem or registry.committer.problem or registry.follower.problem
    return json_response(
        {
            "status": "ready",
            "writable": problem is None,
            **({"trouble": problem} if problem else {}),
            "revision": registry.view.revision,
            "clusters": len(registry.view),
            "compacted": registry.compactor.mark,
            "snapshot": snapshot_as_json(registry.view),
            "clock": clock_as_json(registry.clock),
            **backup_as_json(registry.backups),
            **sharing_as_json(registry.follower),
            "liveness": leases_as_json(registry.liveness.leases),
            **security_as_json(security_of(request)),
            **({"tasks": dict(registry.supervisor.problems)} if registry.supervisor.problems else {}),
        }
    )


def backup_as_json(backups: Backups) -> dict[str, Value]:
    """What ``/readyz`` says of scheduled backups, where there are to be any."""
    if backups.schedule.directory is None:
        return {}
    age, problem = backups.age_seconds, backups.problem
    return {"backup": {"ageSeconds": None if age is None else int(age), **({"trouble": problem} if problem else {})}}


def sharing_as_json(follower: Follower) -> dict[str, Value]:
    """What ``/readyz`` says of the engine of a shared journal, and of the other processes."""
    if not follower.is_shared:
        return {}
    return {
        "keeper": follower.duty.is_ours,
        "processes": follower.processes,
        "lagMs": follower.lag_ms,
        "engine": follower.problem or "heard",
    }


def security_as_json(security: Security) -> dict[str, Value]:
    """What ``/readyz`` says of the security file, where there is one."""
    if security.file is None:
        return {}
    problem, issuers = security.file.problem, security.identities.issued.issuers.values()
    of_issuers: dict[str, Value] = {each.issuer.name: _issuer_as_json(each) for each in issuers}
    return {
        "security": {
            "current": problem is None,
            **({"trouble": problem} if problem else {}),
            **({"issuers": of_issuers} if of_issuers else {}),
        }
    }


def _issuer_as_json(of: IssuerKeys) -> Value:
    keys = 0 if of.keys is None else len(of.keys.keys)
    return {"keys": keys, **({"trouble": of.problem} if of.problem else {})}


def clock_as_json(clock: TrustedClock) -> dict[str, Value]:
    """What ``/readyz`` says of the system's clock."""
    problem = clock.problem
    return {"trusted": problem is None, **({"trouble": problem} if problem else {})}


def snapshot_as_json(view: View) -> dict[str, Value]:
    """What ``/readyz`` says of the snapshot of the index."""
    problem = view.snapshot_problem
    return {"revision": view.snapshot_revision, **({"trouble": problem} if problem else {})}


OPERATIONS = (
    Operation(
        name="getHealth",
        method="GET",
        path="/healthz",
        handler=healthz,
        tag="operations",
        summary="Check that the process is alive",
        verb=None,
        answers=(Answer(200, "the process is alive", reference("Health")),),
        ignores_parameters=True,
        answers_any_host=True,
    ),
    Operation(
        name="getReadiness",
        method="GET",
        path="/readyz",
        handler=readyz,
        tag="operations",
        summary="Check that the registry answers",
        verb=None,
        answers=(
            Answer(
                200,
                "reads are answered; and for callers with the verb `metrics`, and on loopback: `writable` says whether "
                "the last write reached the disk, `compacted` up to which revision the history is no longer kept, "
                "`liveness.silent` how many clusters are silent, and `liveness.holds` why some of these silences are "
                "not written down. Of a [shared journal](../guides/running-many.md): `keeper` says whether this "
                "process is the keeper, `lagMs` how long ago the engine was heard, and `engine` why it is not",
                reference("Readiness"),
            ),
        ),
        ignores_parameters=True,
        answers_any_host=True,
    ),
    Operation(
        name="getMetrics",
        method="GET",
        path="/metrics",
        handler=metrics,
        tag="operations",
        summary="Read the metrics",
        verb="metrics",
        answers=(
            Answer(
                200,
                "[metrics](metrics.md) in the text format of Prometheus",
                {"type": "string"},
                media_types=(MEDIA_TYPE.partition(";")[0],),
            ),
        ),
        ignores_parameters=True,
    ),
)
