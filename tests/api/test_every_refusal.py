"""Every refusal that an operation declares, provoked: an error that never comes has no place in its row."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from rollbook import errors
from rollbook.api.declarations import NDJSON, Operation
from rollbook.api.operations import OPERATIONS
from rollbook.api.problems import status_of
from rollbook.errors import RegistryError
from rollbook.limits import DEFAULT_LIMITS
from tests.api.test_refusals import refusal
from tests.examples import cluster, node
from tests.serving import ServerProcess

SECONDS_MAX = 20.0
ADMIN = "admin-" + "x" * 40


@dataclass(frozen=True)
class Asked:
    """What differs from the sound request of an operation: names in the path, the body, parameters and headers."""

    names: dict[str, str] = field(default_factory=dict)
    body: Any = ...
    parameters: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def filtered(operation: Operation, filter: Any, **options: Any) -> Asked:
    """A filter, as the operation takes it."""
    match operation.name:
        case "updateCluster":
            return Asked(body={"update": {"$set": {"tags": []}}, "filter": filter, **options})
        case "watchClusters" | "listClusters" | "getAudit":
            return Asked(parameters={"filter": httpx.Response(200, json=filter).text})
        case "getCluster":
            return Asked(parameters={"fields": "_registry.made_up"})
        case "aggregateClusters":
            return Asked(body=[{"$match": filter}])
        case "createWebhook" | "replaceWebhook" | "patchWebhook":
            return Asked(body={"url": "https://example.net/", "filter": filter, **options})
        case "putRole":
            return Asked(body={"rules": [{"verbs": ["read"], "filter": filter}]})
        case "updateClusters":
            return Asked(body={"filter": filter, "update": {"$set": {"tags": []}}, **options})
        case "deleteClusters":
            return Asked(body={"filter": filter, **options})
        case "distinctValues":
            return Asked(body={"key": "tags", "query": filter, **options})
        case "fitClusters":
            return Asked(body={"gpus": 1, "query": filter, **options})
        case "tableClusters" | "tableNodes":
            return Asked(body={"columns": ["id"], "query": filter, **options})
        case "search":
            return Asked(body={"matchType": "cluster", "filter": {"clusterQuery": filter}})
        case "searchWithEnvelope" | "searchRanked":
            return Asked(body={"body": {"values": {"matchType": "cluster", "filter": {"clusterQuery": filter}}}})
    return Asked(body={"query": filter, **options})


def language(operation: Operation) -> Asked:
    match operation.name:
        case "listClusters" | "getCluster":
            return Asked(parameters={"fields": "_registry.liveness", "revision": "1"})
        case "aggregateClusters":
            return Asked(body={"pipeline": [], "maxTimeMS": -1})
        case "createWebhook":
            return Asked(body={"url": "https://example.net/", "since": -1})
        case "replayWebhook":
            return Asked(body={"since": -1})
        case "watchClustersByBody":
            return Asked(body={"query": {}, "since": -1})
    return filtered(operation, {}, maxTimeMS=-1)


def elsewhere(operation: Operation) -> Asked:
    if operation.name == "askAccess":
        return Asked(body={"verb": "read", "id": "nobody"})
    if operation.name == "addNode":
        return Asked(body={**node("n"), "clusterId": "nobody"})
    return Asked(names={"id": "nobody"})


def taken(operation: Operation) -> Asked:
    if operation.name == "createClusterFromSpec":
        return Asked(body={"body": {"spec": {"values": cluster("west")}}})
    return Asked(body={} if operation.name == "restoreCluster" else cluster("west"))


def unaddressable(operation: Operation) -> Asked:
    if operation.name == "updateCluster":
        return Asked(names={"id": "a b"}, parameters={"upsert": "true"})
    body = cluster("a b")
    return Asked(body={"body": {"spec": {"values": body}}} if operation.tag == "parser" else body)


def invalid(operation: Operation) -> Asked:
    broken = {**node("node-1"), "memory": -1}
    match operation.name:
        case "updateCluster":
            return Asked(body={"$set": {"memory": -1}})
        case "updateClusters":
            return Asked(body={"filter": {"id": "west"}, "update": {"$set": {"memory": -1}}})
        case "patchCluster" | "replaceDocument":
            return Asked(body={"memory": -1})
        case "createCluster":
            return Asked(body={"id": "broken"})
        case "createClusterFromSpec":
            return Asked(body={"body": {"spec": {"values": {"id": "broken"}}}})
        case "addNode":
            return Asked(body={**broken, "clusterId": "west"})
        case "replaceNodes":
            return Asked(body=[broken])
        case "patchNode":
            return Asked(body={"memory": -1})
        case "sendHeartbeat":
            return Asked(names={"id": "full"}, body={"status": "x" * 1000})
        case "restoreCluster":
            return Asked(names={"id": "odd"}, body={"revision": 4}, parameters={"fieldValidation": "strict"})
    return Asked(body=broken)


def long_gone(operation: Operation) -> Asked:
    match operation.name:
        case "getHistory":
            return Asked(names={"id": "north"}, parameters={"before": "1"})
        case "getChanges" | "watchClusters":
            return Asked(parameters={"since": "0"})
        case "watchClustersByBody":
            return Asked(body={"since": 0})
        case "restoreCluster":
            return Asked(names={"id": "north"}, body={"revision": 1})
        case "createWebhook":
            return Asked(body={"url": "https://example.net/", "since": 0})
        case "replayWebhook":
            return Asked(names={"id": "hook"}, body={"since": 0})
    return Asked(names={"id": "north"}, parameters={"revision": "1"})


def no_token(operation: Operation) -> Asked:
    body = {"verb": "read", "as": {"token": "nobody"}} if operation.name == "askAccess" else ...
    return Asked(names={"id": "nobody"}, body=body)


def no_role(operation: Operation) -> Asked:
    return Asked(names={"name": "nobody"}, body={"verb": "read", "as": {"roles": ["nobody"]}})


def unsorted(operation: Operation) -> Asked:
    if operation.name == "listClusters":
        return Asked(parameters={"sort": "$x"})
    if operation.name == "tableClusters":
        return Asked(body={"columns": ["id"], "sort": {"a": 5}})
    stages, query = [{"$sort": {"a": 5}}], {"query": {}, "sort": {"a": 5}}
    return Asked(body=stages if operation.name == "aggregateClusters" else query)


def unprojected(operation: Operation) -> Asked:
    if operation.name in ("listClusters", "getCluster"):
        return Asked(parameters={"fields": "a,a.b"})
    mixed = {"a": 1, "b": 0}
    if operation.name in ("updateCluster", "updateClusters", "aggregateClusters"):
        return updating(operation, [{"$project": mixed}])
    return Asked(body={"query": {}, "projection": mixed})


def unpiped(operation: Operation) -> Asked:
    if operation.name == "explainQuery":
        return Asked(body={"pipeline": [{"$foo": 1}]})
    return updating(operation, [{"$foo": 1}])


def another_id(operation: Operation) -> Asked:
    merges = operation.name in ("patchCluster", "replaceDocument")
    return Asked(body={"id": "east"}) if merges else updating(operation, {"$set": {"id": "east"}})


WRITING_AT_ONCE = {"writeInBulk": {"atomic": "true"}, "deleteClusters": {"dryRun": "false"}}
"""The parameters with which an operation looks at the idempotency key of the whole request."""


def updating(operation: Operation, update: Any) -> Asked:
    """An update, as the operation takes it."""
    return Asked(body={"filter": {"id": "west"}, "update": update} if operation.name == "updateClusters" else update)


PROVOKED: dict[type[RegistryError], Callable[[Operation], Asked]] = {
    errors.MalformedJson: lambda operation: Asked(parameters={"filter": "{"}),
    errors.JsonTooDeep: lambda operation: Asked(parameters={"filter": "[" * 200 + "]" * 200}),
    errors.LanguageRefused: language,
    errors.FilterRefused: lambda operation: filtered(operation, {"a": {"$in": 5}}),
    errors.ExpressionRefused: lambda operation: filtered(operation, {"$expr": {"$foo": 1}}),
    errors.SortRefused: unsorted,
    errors.ProjectionRefused: unprojected,
    errors.PipelineRefused: unpiped,
    errors.UpdateRefused: lambda operation: updating(operation, {"$inc": {"memory": "much"}}),
    errors.IdImmutable: another_id,
    errors.IdempotencyKeyReused: lambda operation: Asked(
        headers={"idempotency-key": "taken"}, parameters=WRITING_AT_ONCE.get(operation.name, {})
    ),
    errors.ClusterNotFound: elsewhere,
    errors.ClusterExists: taken,
    errors.ClusterDeleted: lambda operation: Asked(names={"id": "deleted"}),
    errors.ClusterProtected: lambda operation: Asked(
        names={"id": "protected"}, body={"filter": {"id": "protected"}} if operation.name == "deleteClusters" else ...
    ),
    errors.PreconditionFailed: lambda operation: Asked(headers={"if-match": '"999999"'}),
    errors.DocumentInvalid: invalid,
    errors.IdRefused: unaddressable,
    errors.NodeNotFound: lambda operation: Asked(names={"node_id": "nobody"}, body={**node("nobody")}),
    errors.NodeExists: lambda operation: Asked(body=node("node-1"), parameters={"onConflict": "refuse"}),
    errors.HeartbeatRefused: lambda operation: Asked(body={"ttlSeconds": 0}),
    errors.Compacted: long_gone,
    errors.CursorRefused: lambda operation: Asked(parameters={"cursor": "made-up"}),
    errors.WebhookRefused: lambda operation: Asked(body={"url": 5}),
    errors.WebhookNotFound: lambda operation: Asked(names={"id": "nobody"}),
    errors.WebhookExists: lambda operation: Asked(body={"id": "hook", "url": "https://example.net/"}),
    errors.SessionRefused: lambda operation: Asked(headers={"x-forwarded-for": "10.0.0.5"}),
    errors.TokenNotFound: no_token,
    errors.TokenExists: lambda operation: Asked(body={"name": "holder", "roles": ["held"]}),
    errors.RoleNotFound: no_role,
    errors.RoleInUse: lambda operation: Asked(),
    errors.DeadLetterNotFound: lambda operation: Asked(names={"number": "999"}),
}
FULL = (errors.TooManyWatchers, errors.TooManyWebhooks)


def send(client: httpx.Client, operation: Operation, asked: Asked) -> httpx.Response:
    """The sound request of an operation, with what differs."""
    own = "hook" if operation.path.startswith("/webhooks") else "west"
    path = operation.template
    for name, value in {"id": own, "node_id": "node-1", "number": "1", "name": "held", **asked.names}.items():
        path = path.replace(f"{{{name}}}", value)
    body = asked.body if asked.body is not ... else operation.body and operation.body.example
    waiting = {"wait": "0s"} if operation.streams else {}
    lines = {"content-type": NDJSON} if operation.reads_lines else {}
    return client.request(
        operation.method,
        path,
        params={**waiting, **asked.parameters},
        headers={**lines, **asked.headers},
        **content_of(operation, body),
    )


def content_of(operation: Operation, body: Any) -> dict[str, Any]:
    """The body of a request, as httpx takes it: JSON, or lines of it."""
    if operation.body is None:
        return {}
    return {"content": body} if NDJSON in operation.body.media_types else {"json": body}


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client that may do everything, of a registry that knows its callers."""
    directory: Path = tmp_path_factory.mktemp("refusing")
    (directory / "admin").write_text(ADMIN)
    environment = {
        "ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin"),
        "ROLLBOOK_TRUSTED_PROXIES": "127.0.0.0/8",
    }
    headers = {"authorization": f"Bearer {ADMIN}"}
    with (
        ServerProcess(directory / "data", environment=environment) as server,
        httpx.Client(base_url=server.url, timeout=20, headers=headers) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def furnished(http: httpx.Client) -> httpx.Client:
    """A registry with clusters in each state, one of them almost as large as a document can be, a webhook, and a role
    that a token has.
    """
    http.put("/roles/held", json={"rules": [{"verbs": ["read"]}]})
    http.post("/tokens", json={"name": "holder", "roles": ["held"]})
    for id in ("west", "protected", "deleted"):
        assert http.post("/clusters", json=cluster(id)).status_code == 201
    http.post("/clusters", json=cluster("odd", zone="b"))
    http.put("/clusters/odd", json={"$unset": {"zone": ""}})
    http.put("/clusters/protected/protection")
    http.post("/clusters", json=cluster("keyed"), headers={"idempotency-key": "taken"})
    http.delete("/clusters/deleted")
    http.post("/webhooks", json={"id": "hook", "url": "https://example.net/", "enabled": False})
    http.post("/clusters", json=cluster("full"))
    size_bytes = len(http.get("/clusters/full").content)
    for name in ("a", "b"):
        left_bytes = DEFAULT_LIMITS.document_bytes_max - size_bytes - len(f',"{name}":""')
        text = "x" * min(left_bytes, DEFAULT_LIMITS.body_bytes_max - 100)
        written = http.put("/clusters/full", json={"$set": {f"clusterMetadata.{name}": text}})
        size_bytes = len(written.content)
    http.put("/clusters/full", json={"$set": {"clusterMetadata.c": "x" * 100}})
    return http


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A registry that keeps one change, and takes one watcher and two webhooks. It has forgotten what it wrote."""
    environment = {"ROLLBOOK_HISTORY_CHANGES": "1", "ROLLBOOK_WATCHERS_MAX": "1", "ROLLBOOK_WEBHOOKS_MAX": "2"}
    data: Path = tmp_path_factory.mktemp("forgetful") / "data"
    with ServerProcess(data, environment=environment) as server, httpx.Client(base_url=server.url, timeout=20) as http:
        http.post("/webhooks", json={"id": "hook", "url": "https://example.net/", "enabled": False})
        http.post("/clusters", json=cluster("north"))
        for reputation in range(4):
            http.put("/clusters/north", json={"reputation": reputation})
        deadline = time.monotonic() + SECONDS_MAX
        while http.get("/readyz").json()["compacted"] < 4:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        server.stop()
        server.start()
        yield http


def unseen(http: httpx.Client) -> Asked:
    """An upsert of a cluster that is there, by a caller who does not see it."""
    mine = {"clusterMetadata.owner": "somebody else"}
    http.put("/roles/blind", json={"rules": [{"verbs": ["read", "create", "update"], "filter": mine}]})
    token = http.post("/tokens", json={"name": "blind", "roles": ["blind"]}).json()["token"]
    document = {**cluster("west"), "clusterMetadata": {**cluster("west")["clusterMetadata"], "owner": "somebody else"}}
    del document["id"]
    return Asked(body={"$set": document}, parameters={"upsert": "true"}, headers={"authorization": f"Bearer {token}"})


def unconfirmed(http: httpx.Client) -> Asked:
    """A deletion of other clusters than were shown."""
    filter = {"tags": "fleeting"}
    confirm = http.post("/clusters/delete", json={"filter": filter}).json()["confirm"]
    http.post("/clusters", json={**cluster("fleeting"), "tags": ["fleeting"]})
    return Asked(body={"filter": filter, "confirm": confirm})


REFUSALS = [(operation, kind) for operation in OPERATIONS for kind in operation.refuses]


@pytest.mark.parametrize(
    ("operation", "kind"), REFUSALS, ids=[f"{operation.name}-{kind.code}" for operation, kind in REFUSALS]
)
def test_a_declared_refusal_comes(
    furnished: httpx.Client, forgetful: httpx.Client, operation: Operation, kind: type[RegistryError]
) -> None:
    if kind is errors.TooManyWebhooks:
        forgetful.post("/webhooks", json={"id": "second", "url": "https://example.net/", "enabled": False})
    if kind is errors.TooManyWatches:
        asked = {"name": operation.name, "roles": ["reader"], "watchesMax": 0}
        token = furnished.post("/tokens", json=asked).json()["token"]
        reply = send(furnished, operation, Asked(headers={"authorization": f"Bearer {token}"}))
    elif (operation.name, kind) == ("updateCluster", errors.ClusterExists):
        reply = send(furnished, operation, unseen(furnished))
    elif (operation.name, kind) == ("deleteClusters", errors.PreconditionFailed):
        reply = send(furnished, operation, unconfirmed(furnished))
    elif kind in FULL:
        with forgetful.stream("GET", "/clusters/watch"):
            reply = send(forgetful, operation, Asked())
    else:
        client = forgetful if kind is errors.Compacted else furnished
        reply = send(client, operation, PROVOKED[kind](operation))
    forgetful.delete("/webhooks/second")
    refusal(reply, status_of(kind()), kind.code)


EVERYWHERE: dict[type[RegistryError], dict[str, Any]] = {
    errors.RequestRefused: {"params": {"made-up": "1"}},
    errors.RouteNotFound: {"url": "/clusters/west/nowhere"},
    errors.MethodNotAllowed: {"method": "PATCH", "url": "/clusters"},
    errors.MalformedJson: {"content": b"{"},
    errors.JsonTooDeep: {"content": b"[" * 1000 + b"]" * 1000},
    errors.BodyTooLarge: {"content": b" " * (DEFAULT_LIMITS.body_bytes_max + 1)},
    errors.MediaTypeUnsupported: {"content": b"{}", "headers": {"content-type": "text/plain"}},
    errors.MisdirectedRequest: {"headers": {"host": "elsewhere.example"}},
    errors.CrossOriginRefused: {"headers": {"sec-fetch-site": "cross-site"}},
    errors.WorkExceeded: {"json": {"query": {"$expr": {"$gt": [{"$size": {"$range": [0, 30_000_000]}}, 0]}}}},
}


@pytest.mark.parametrize("kind", EVERYWHERE, ids=lambda kind: kind.code)
def test_what_any_operation_may_refuse_comes(furnished: httpx.Client, kind: type[RegistryError]) -> None:
    headers = {"content-type": "application/json"}
    asked = {"method": "POST", "url": "/clusters/count", "headers": headers, **EVERYWHERE[kind]}
    refusal(furnished.request(**asked), status_of(kind()), kind.code)
