"""Which operation an address means: paths are matched as they were sent, segment by segment."""

from http.client import HTTPConnection
from itertools import groupby

import httpx
import orjson
import pytest

from rollbook.api.operations import OPERATIONS
from rollbook.api.routing import Router
from rollbook.api.serving.shortcuts import HEARTBEAT, PREFIX, QUERY
from rollbook.errors import MethodNotAllowed, RequestRefused, RouteNotFound
from tests.api.test_refusals import refusal
from tests.examples import cluster, node
from tests.serving import ServerProcess

ROUTER = Router(OPERATIONS)


def found(method: str, path: bytes) -> tuple[str, dict[str, str]]:
    operation, names = ROUTER.find(method, path)
    return operation.name, names


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_is_found_at_its_path(operation) -> None:
    path = operation.template.replace("{id}", "west").replace("{node_id}", "n-1").replace("{number}", "7")
    for address in (path, path + "/", path + "//"):
        assert ROUTER.find(operation.method, address.encode())[0] is operation


def test_no_name_is_given_twice() -> None:
    names = sorted(operation.name for operation in OPERATIONS)
    assert [name for name, group in groupby(names) if len(list(group)) > 1] == []


@pytest.mark.parametrize(
    ("method", "path", "name", "names"),
    [
        ("GET", b"/clusters/a%2Fprotection", "getCluster", {"id": "a/protection"}),
        ("DELETE", b"/clusters/a%2Fprotection", "deleteCluster", {"id": "a/protection"}),
        ("DELETE", b"/clusters/a%2fnodes%2fn", "deleteCluster", {"id": "a/nodes/n"}),
        ("DELETE", b"/webhooks/w%2Fdead-letters", "deleteWebhook", {"id": "w/dead-letters"}),
        ("HEAD", b"/clusters/a", "getCluster", {"id": "a"}),
        ("GET", b"/clusters/a/nodes/n", "getNode", {"id": "a", "node_id": "n"}),
        ("GET", b"/clusters/a/nodes/n/m", "getNode", {"id": "a", "node_id": "n/m"}),
        ("GET", b"/clusters/a/nodes/n%2Fm", "getNode", {"id": "a", "node_id": "n/m"}),
        ("GET", b"/clusters/a/nodes/n%252Fm", "getNode", {"id": "a", "node_id": "n%2Fm"}),
        ("GET", b"/clusters/a/nodes/n%2F", "getNode", {"id": "a", "node_id": "n/"}),
        ("GET", b"/clusters/a/nodes/n%2F..%2Fm", "getNode", {"id": "a", "node_id": "n/../m"}),
        ("GET", b"/clusters/a/nodes/%C3%A9", "getNode", {"id": "a", "node_id": "é"}),
        ("GET", b"/clusters/a%20b", "getCluster", {"id": "a b"}),
        ("GET", b"/clusters/query", "getCluster", {"id": "query"}),
        ("GET", b"/clusters/query/nodes", "listNodes", {"id": "query"}),
        ("GET", b"/clusters/watch", "watchClusters", {}),
        ("GET", b"/clusters/%77atch", "getCluster", {"id": "watch"}),
        ("PUT", b"/clusters/watch", "updateCluster", {"id": "watch"}),
        ("GET", b"/%63lusters/a/n%6Fdes", "listNodes", {"id": "a"}),
    ],
)
def test_an_address_means_one_operation(method: str, path: bytes, name: str, names: dict[str, str]) -> None:
    assert found(method, path) == (name, names)


@pytest.mark.parametrize(
    "path",
    [
        b"/clusters//nodes",
        b"//clusters/a",
        b"/clusters/a/b",
        b"/clusters%2Fa",
        b"/clusters/a%2Fnodes/n",
        b"/Clusters/a",
        b"/clusters/a/nodes//n",
        b"*",
    ],
)
def test_an_address_that_means_nothing_is_404(path: bytes) -> None:
    with pytest.raises(RouteNotFound):
        found("GET", path)


@pytest.mark.parametrize(
    "path",
    [
        b"/clusters/..",
        b"/clusters/.",
        b"/clusters/a/nodes/..",
        b"/clusters/a/nodes/%2e%2E",
        b"/clusters/a/nodes/n/../../protection",
        b"/../clusters/a",
        b"/clusters/%ff",
        b"/clusters/a/nodes/%C3",
    ],
)
def test_dot_segments_and_broken_text_are_refused(path: bytes) -> None:
    for method in ("GET", "DELETE", "OPTIONS"):
        with pytest.raises(RequestRefused) as refused:
            found(method, path)
        assert type(refused.value) is RequestRefused


def test_a_method_that_an_address_does_not_take_is_405() -> None:
    with pytest.raises(MethodNotAllowed, match="takes DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, not TRACE"):
        found("TRACE", b"/clusters/watch")
    assert ROUTER.nearest("TRACE", b"/clusters/watch").path == "/clusters/watch"
    assert ROUTER.nearest("TRACE", b"/nowhere") is None


def test_the_shortcuts_stand_at_the_addresses_of_their_operations() -> None:
    taken = {
        ("GET", PREFIX + b"west"),
        ("PUT", PREFIX + b"west"),
        ("POST", QUERY),
        ("POST", PREFIX + b"west" + HEARTBEAT),
    }
    assert {found(*each)[0] for each in taken} == {each.name for each in OPERATIONS if each.shortcut}


def status(server: ServerProcess, method: str, target: str, body: object = None) -> int:
    """What is answered to a target that goes out as it is; clients fold dots and decode letters."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    headers = {} if body is None else {"content-type": "application/json"}
    connection.request(method, target, None if body is None else orjson.dumps(body), headers)
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply.status


def test_an_encoded_slash_reaches_nothing_below_a_cluster(
    server: ServerProcess, http: httpx.Client, fresh_id: str
) -> None:
    http.post("/clusters", json=cluster(fresh_id, node("n-3"), node("n-4")))
    http.put(f"/clusters/{fresh_id}/protection")

    for target in ("%2Fprotection", "%2fprotection", "%2Fnodes%2Fn-3", "%2Fnodes/n-3", "/nodes/..", "/nodes/%2e%2e"):
        assert status(server, "DELETE", f"/clusters/{fresh_id}{target}") in (400, 404, 405)
    assert status(server, "PUT", f"/clusters/{fresh_id}%2Fprotection", {}) == 404
    assert status(server, "POST", f"/clusters/{fresh_id}%2Fheartbeat") == 405

    assert http.delete(f"/clusters/{fresh_id}").status_code == 409
    assert len(http.get(f"/clusters/{fresh_id}/nodes").json()) == 2


def test_a_node_whose_id_holds_a_slash_has_two_addresses(
    server: ServerProcess, http: httpx.Client, fresh_id: str
) -> None:
    http.post("/clusters", json=cluster(fresh_id, node("rack/1"), node("rack%2F1")))
    nodes = f"/clusters/{fresh_id}/nodes"
    assert http.get(f"{nodes}/rack/1").json()["id"] == "rack/1"
    assert http.get(f"{nodes}/rack%2F1").json()["id"] == "rack/1"
    assert http.get(f"{nodes}/rack%252F1").json()["id"] == "rack%2F1"
    assert status(server, "DELETE", f"{nodes}/rack%2F1") == 200
    assert [each["id"] for each in http.get(nodes).json()] == ["rack%2F1"]


def test_a_path_that_can_not_be_one_is_a_problem(server: ServerProcess, http: httpx.Client) -> None:
    refusal(http.get("/clusters/%ff"), 400, "request-refused")
    assert status(server, "GET", "/clusters/a/nodes/..") == 400
