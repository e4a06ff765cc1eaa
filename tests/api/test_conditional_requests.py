"""Entity tags: a reader learns cheaply that nothing is new, and a writer that the document has moved on."""

import httpx
import pytest

from tests.examples import cluster


def test_get_answers_304_for_the_revision_that_the_caller_has(http: httpx.Client, fresh_id: str) -> None:
    tag = http.post("/clusters", json=cluster(fresh_id)).headers["etag"]

    for seen in (tag, f"W/{tag}", f'"0", {tag}', "*"):
        reply = http.get(f"/clusters/{fresh_id}", headers={"if-none-match": seen})
        assert (reply.status_code, reply.content, reply.headers["etag"]) == (304, b"", tag)
    assert http.get(f"/clusters/{fresh_id}", headers={"if-none-match": '"0"'}).status_code == 200


def test_an_update_with_an_old_tag_is_412_and_with_the_new_one_passes(http: httpx.Client, fresh_id: str) -> None:
    first = http.post("/clusters", json=cluster(fresh_id)).headers["etag"]
    second = http.put(f"/clusters/{fresh_id}", json={"regionId": "a"}, headers={"if-match": first}).headers["etag"]

    late = http.put(f"/clusters/{fresh_id}", json={"regionId": "b"}, headers={"if-match": first})

    assert (late.status_code, late.json()["code"]) == (412, "precondition-failed")
    assert http.delete(f"/clusters/{fresh_id}", headers={"if-match": first}).status_code == 412
    assert http.delete(f"/clusters/{fresh_id}", headers={"if-match": second}).status_code == 200
    assert http.put(f"/clusters/{fresh_id}", json={"regionId": "b"}, headers={"if-match": "*"}).status_code == 404


def test_the_condition_beside_an_update_must_hold_and_gives_the_position(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))

    held = http.put(
        f"/clusters/{fresh_id}",
        json={"update": {"$set": {"nodes.nodeData.$.swap": 7}}, "filter": {"nodes.nodeData.id": "node-1"}},
    )
    assert held.json()["nodes"]["nodeData"][0]["swap"] == 7
    missed = http.put(f"/clusters/{fresh_id}", json={"update": {"$set": {"swap": 1}}, "filter": {"status": "gone"}})
    assert (missed.status_code, missed.json()["code"]) == (412, "precondition-failed")


def test_an_update_that_changes_nothing_makes_no_revision(http: httpx.Client, fresh_id: str) -> None:
    created = http.post("/clusters", json=cluster(fresh_id))

    same = http.put(f"/clusters/{fresh_id}", json={"$set": {"regionId": "us-west-2"}})

    assert (same.status_code, same.headers["etag"], same.json()) == (200, created.headers["etag"], created.json())


@pytest.mark.parametrize("path", ["/clusters/{id}/", "/clusters/{id}//"])
def test_a_trailing_slash_is_the_same_address(http: httpx.Client, fresh_id: str, path: str) -> None:
    http.post("/clusters/", json=cluster(fresh_id))

    assert http.get(path.format(id=fresh_id)).json()["id"] == fresh_id
    assert http.post("/clusters/query/", json={"query": {"id": fresh_id}}).json()[0]["id"] == fresh_id


def test_head_is_get_without_the_body(http: httpx.Client, fresh_id: str) -> None:
    created = http.post("/clusters", json=cluster(fresh_id))

    reply = http.head(f"/clusters/{fresh_id}")

    assert (reply.status_code, reply.content, reply.headers["etag"]) == (200, b"", created.headers["etag"])
    assert int(reply.headers["content-length"]) == len(created.content)


def test_what_the_registry_knows_is_given_on_request_and_can_be_filtered_on(http: httpx.Client, fresh_id: str) -> None:
    created = http.post("/clusters", json=cluster(fresh_id))
    revision = int(created.headers["etag"].strip('"'))

    read = http.get(f"/clusters/{fresh_id}?include=registry")
    assert read.json()["_registry"]["revision"] == revision
    assert "etag" not in read.headers
    asked = {"query": {"_registry.revision": {"$gte": revision}, "id": fresh_id}}
    assert http.post("/clusters/query", json=asked).json() == [created.json()]
    with_registry = http.post("/clusters/query", json={**asked, "include": "registry"}).json()
    assert with_registry == [read.json()]


def test_a_plain_read_and_a_conditional_one_answer_alike(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))

    plain = http.get(f"/clusters/{fresh_id}")
    conditional = http.get(f"/clusters/{fresh_id}", headers={"if-none-match": '"0"'})

    assert plain.content == conditional.content
    comparable = [
        {name: value for name, value in reply.headers.items() if name not in ("date", "x-request-id")}
        for reply in (plain, conditional)
    ]
    assert comparable[0] == comparable[1]


def test_every_answer_tells_the_newest_revision(http: httpx.Client, fresh_id: str) -> None:
    created = http.post("/clusters", json=cluster(fresh_id))
    revision = created.headers["etag"].strip('"')

    for reply in (
        created,
        http.get(f"/clusters/{fresh_id}"),
        http.get("/clusters/nobody"),
        http.post("/clusters/query", json={"id": fresh_id}),
        http.get("/healthz"),
    ):
        assert reply.headers.get_list("x-registry-revision") == [revision]
