"""Patching and replacing a cluster's document, and dry runs of every write."""

from typing import Any

import httpx
import pytest

from rollbook.api.operations import OPERATIONS
from tests.api.test_refusals import refusal
from tests.examples import cluster, node

MERGE, PATCH = {"content-type": "application/merge-patch+json"}, {"content-type": "application/json-patch+json"}
DRY = {"dryRun": "true"}


@pytest.fixture
def id(http: httpx.Client, fresh_id: str) -> str:
    assert http.post("/clusters", json=cluster(f"patched-{fresh_id}", node("n-1"))).status_code == 201
    return f"patched-{fresh_id}"


@pytest.mark.parametrize("headers", [MERGE, {"content-type": "application/json"}])
def test_a_merge_patch_sets_and_removes(http: httpx.Client, id: str, headers: dict[str, str]) -> None:
    before = http.get(f"/clusters/{id}").json()
    patch = '{"status": "draining", "clusterMetadata": {"email": null, "name": "Renamed"}, "memory": "4096"}'
    answer = http.patch(f"/clusters/{id}", content=patch, headers=headers)
    assert answer.status_code == 200
    after = answer.json()
    assert (after["status"], after["memory"], after["clusterMetadata"]["name"]) == ("draining", 4096, "Renamed")
    assert {**after, "status": 0, "memory": 0, "clusterMetadata": 0} == {
        **before, "status": 0, "memory": 0, "clusterMetadata": 0
    }  # fmt: skip
    assert http.get(f"/clusters/{id}").headers["etag"] == answer.headers["etag"]


def test_a_json_patch_is_done_wholly_or_not_at_all(http: httpx.Client, id: str) -> None:
    done = [
        {"op": "test", "path": "/id", "value": id},
        {"op": "add", "path": "/tags/-", "value": "patched"},
        {"op": "replace", "path": "/nodes/nodeData/0/swap", "value": 4096},
    ]
    answer = http.patch(f"/clusters/{id}", json=done, headers=PATCH)
    assert answer.status_code == 200
    assert answer.json()["tags"][-1] == "patched"
    assert answer.json()["swap"] == 4096  # the total follows the node
    failing = [{"op": "add", "path": "/tags/-", "value": "lost"}, {"op": "test", "path": "/status", "value": "?"}]
    refusal(http.patch(f"/clusters/{id}", json=failing, headers=PATCH), 412, "precondition-failed")
    assert http.get(f"/clusters/{id}").json()["tags"][-1] == "patched"


def test_another_media_type_is_refused_with_those_that_are_taken(http: httpx.Client, id: str) -> None:
    for address in (f"/clusters/{id}", f"/clusters/{id}/nodes/n-1"):
        for media_type in ("application/strategic-merge-patch+json", "text/plain"):
            answer = http.patch(address, content=b"{}", headers={"content-type": media_type})
            refusal(answer, 415, "media-type-unsupported")
            assert "application/json-patch+json" in answer.headers["accept-patch"]


def test_if_match_holds_for_patches_and_replacements(http: httpx.Client, id: str) -> None:
    stale = {"if-match": '"999999"'}
    refusal(http.patch(f"/clusters/{id}", json={"a": 1}, headers=stale), 412, "precondition-failed")
    refusal(http.put(f"/clusters/{id}/document", json=cluster(id), headers=stale), 412, "precondition-failed")
    tag = http.get(f"/clusters/{id}").headers["etag"]
    assert http.patch(f"/clusters/{id}", json={"a": 1}, headers={"if-match": tag}).status_code == 200


def test_a_node_takes_a_json_patch(http: httpx.Client, id: str) -> None:
    address = f"/clusters/{id}/nodes/n-1"
    answer = http.patch(address, json=[{"op": "replace", "path": "/swap", "value": 8192}], headers=PATCH)
    assert (answer.status_code, answer.json()["swap"]) == (200, 8192)
    broken = [{"op": "test", "path": "/swap", "value": 8192}, {"op": "replace", "path": "/swap", "value": -1}]
    refused = http.patch(address, json=broken, headers=PATCH)
    refusal(refused, 422, "document-invalid")
    assert refused.json()["errors"][0]["at"] == "/1/value"


def test_a_replacement_keeps_what_the_registry_fills(http: httpx.Client, id: str) -> None:
    http.put(f"/clusters/{id}", json={"$set": {"extra": 1, "clusterMetadata.email": "a@example.net"}})
    before = http.get(f"/clusters/{id}").json()
    given = {
        "config": {"publicHostname": "elsewhere.example.net"},
        "clusterMetadata": {"name": "New", "description": "New", "owner": "New"},
    }
    after = http.put(f"/clusters/{id}/document", json=given).json()
    assert "extra" not in after
    assert after["clusterMetadata"] == given["clusterMetadata"]
    assert after["config"]["publicHostname"] == "elsewhere.example.net"
    assert after["config"]["urlMap"] == before["config"]["urlMap"]
    for kept in ("id", "status", "nodes", "gpus", "vcpus", "memory", "swap", "storage", "network", "tags"):
        assert after[kept] == before[kept], kept
    assert http.put(f"/clusters/{id}/document", json=after).headers["etag"] == f'"{revision_of(http, id)}"'


def test_a_replacement_lacks_nothing_that_a_writer_gives(http: httpx.Client, id: str) -> None:
    answer = http.put(f"/clusters/{id}/document", json={"status": "live"})
    refusal(answer, 422, "document-invalid")
    assert {each["at"] for each in answer.json()["errors"]} >= {"/clusterMetadata/name", "/clusterMetadata/owner"}


def revision_of(http: httpx.Client, id: str) -> str:
    return http.get(f"/clusters/{id}").headers["etag"].strip('"')


def writes_on(id: str) -> list[tuple[str, str, str, Any, dict[str, str]]]:
    """Each write that takes a dry run: its operation, method, address, body and headers. One after the other works."""
    at = f"/clusters/{id}"
    spec = {"body": {"spec": {"values": cluster(f"{id}-spec")}}}
    return [
        ("createCluster", "POST", "/clusters", cluster(f"{id}-new", odd="field"), {}),
        ("updateCluster", "PUT", at, {"$set": {"status": "draining"}}, {}),
        ("patchCluster", "PATCH", at, {"tags": ["patched"]}, {}),
        ("patchCluster", "PATCH", at, [{"op": "add", "path": "/tags/0", "value": "first"}], PATCH),
        ("replaceDocument", "PUT", f"{at}/document", cluster(id, node("n-1")), {}),
        ("joinNode", "POST", f"{at}/nodes", node("n-2"), {}),
        ("replaceNode", "PUT", f"{at}/nodes/n-2", node("n-2", memory=99), {}),
        ("patchNode", "PATCH", f"{at}/nodes/n-2", {"memory": 98}, {}),
        ("removeNode", "DELETE", f"{at}/nodes/n-2", None, {}),
        ("replaceNodes", "PUT", f"{at}/nodes", [node("n-3")], {}),
        ("createClusterFromSpec", "POST", "/api/createCluster", spec, {}),
        ("addNode", "POST", "/api/addNode", {"clusterId": id, "nodeData": node("n-4")}, {}),
        ("protectCluster", "PUT", f"{at}/protection", None, {}),
        ("unprotectCluster", "DELETE", f"{at}/protection", None, {}),
        ("restoreCluster", "POST", f"{at}/restore", {"revision": 0}, {}),
        ("deleteCluster", "DELETE", at, None, {}),
    ]


def test_a_dry_run_says_what_the_write_then_does(http: httpx.Client, id: str) -> None:
    first, covered = int(revision_of(http, id)), set()
    for operation, method, address, body, headers in writes_on(id):
        body = {"revision": first} if operation == "restoreCluster" else body
        covered.add(operation)
        newest = http.get("/readyz").json()["revision"]
        rehearsal = http.request(method, address, json=body, headers=headers, params=DRY)
        assert rehearsal.status_code == 200, rehearsal.text
        assert http.get("/readyz").json()["revision"] == newest, operation
        said = rehearsal.json()

        written = http.request(method, address, json=body, headers=headers)
        assert written.is_success, written.text
        change = http.get("/changes", params={"since": newest, "as": "both"}).json()[-1]
        assert (said["dryRun"], said["event"], said["id"]) == (True, change["event"], change["id"]), operation
        assert said["document"] == change["document"], operation
        if change["event"] == "updated":
            assert said["diff"] == change["patch"]
        assert bool(said["warnings"]) == ("warning" in written.headers)
    taking = {each.name for each in OPERATIONS if any(one.name == "dryRun" for one in each.parameters)}
    of_many = {"writeInBulk", "updateClusters", "deleteClusters"}  # tests/api/test_bulk.py, test_filtered_writes.py
    assert covered == taking - of_many


def test_a_dry_run_is_refused_as_the_write_is(http: httpx.Client, id: str) -> None:
    asked: list[tuple[str, str, Any]] = [
        ("POST", "/clusters", cluster(id)),
        ("POST", "/clusters", {"id": "incomplete"}),
        ("PUT", f"/clusters/{id}", {"$set": {"memory": -1}}),
        ("DELETE", "/clusters/nobody", None),
    ]
    for method, address, body in asked:
        rehearsal = http.request(method, address, json=body, params=DRY)
        written = http.request(method, address, json=body)
        assert rehearsal.status_code == written.status_code >= 400
        assert rehearsal.json() == written.json()


def test_a_dry_run_that_changes_nothing_says_so(http: httpx.Client, id: str) -> None:
    said = http.put(f"/clusters/{id}", json={"$set": {"id": id}}, params=DRY).json()
    assert (said["event"], said["diff"], said["revision"]) == (None, [], int(revision_of(http, id)))
    refusal(http.put(f"/clusters/{id}", json={}, params={"dryRun": "yes"}), 400, "request-refused")
