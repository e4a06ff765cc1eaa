"""Creating by update: only where it is asked for."""

import httpx

from tests.api.test_refusals import refusal
from tests.examples import cluster

UPSERT = {"upsert": "true"}


def made(id: str) -> dict[str, object]:
    return {name: value for name, value in cluster(id).items() if name != "id"}


def test_an_upsert_creates_once_and_updates_then(http: httpx.Client, fresh_id: str) -> None:
    at, update = f"/clusters/{fresh_id}", {"$set": {"status": "live"}, "$setOnInsert": made(fresh_id) | {"zone": "a"}}
    update["$setOnInsert"].pop("status", None)
    refusal(http.put(at, json=update), 404, "cluster-not-found")
    first = http.put(at, json=update, params=UPSERT)
    assert (first.status_code, first.headers["location"]) == (201, at)
    assert (first.json()["id"], first.json()["status"], first.json()["zone"]) == (fresh_id, "live", "a")
    http.put(at, json={"$set": {"zone": "b", "status": "draining"}})
    second = http.put(at, json=update, params=UPSERT)
    assert (second.status_code, second.json()["status"], second.json()["zone"]) == (200, "live", "b")


def test_what_an_upsert_makes_is_judged_like_any_new_document(http: httpx.Client, fresh_id: str) -> None:
    at = f"/clusters/{fresh_id}"
    refusal(http.put(at, json={"$set": {"status": "live"}}, params=UPSERT), 422, "document-invalid")
    refusal(http.put("/clusters/query", json=made("query"), params=UPSERT), 400, "id-refused")
    refusal(http.put(at, json={**made(fresh_id), "id": "another"}, params=UPSERT), 422, "id-immutable")
    refusal(http.put(at, json=[{"$set": {"id": "another"}}], params=UPSERT), 422, "id-immutable")
    refusal(http.get(at), 404, "cluster-not-found")


def test_conditions_of_an_upsert(http: httpx.Client, fresh_id: str) -> None:
    at, new = f"/clusters/{fresh_id}", {"update": made(fresh_id), "filter": {"status": "never"}}
    refusal(http.put(at, json=new, params=UPSERT, headers={"if-match": "*"}), 412, "precondition-failed")
    only_new = {"if-none-match": "*"}
    assert http.put(at, json=new, params=UPSERT, headers=only_new).status_code == 201
    refusal(http.put(at, json=new, params=UPSERT, headers=only_new), 412, "precondition-failed")
    refusal(http.put(at, json=new, params=UPSERT), 412, "precondition-failed")


def test_a_pipeline_may_create(http: httpx.Client, fresh_id: str) -> None:
    stages = [{"$set": {**made(fresh_id), "doubled": {"$concat": ["$id", "$id"]}}}]
    assert http.put(f"/clusters/{fresh_id}", json=stages, params=UPSERT).json()["doubled"] == fresh_id * 2


def test_the_answer_before_a_creation_is_null(http: httpx.Client, fresh_id: str) -> None:
    asked = {"update": made(fresh_id), "returnDocument": "before"}
    answer = http.put(f"/clusters/{fresh_id}", json=asked, params=UPSERT)
    assert (answer.status_code, answer.json()) == (201, None)


def test_a_dry_run_of_an_upsert_creates_nothing(http: httpx.Client, fresh_id: str) -> None:
    said = http.put(f"/clusters/{fresh_id}", json=made(fresh_id), params={**UPSERT, "dryRun": "true"}).json()
    assert (said["event"], said["revision"], said["document"]["id"]) == ("created", None, fresh_id)
    refusal(http.get(f"/clusters/{fresh_id}"), 404, "cluster-not-found")
