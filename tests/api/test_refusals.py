"""Wrong things: each answer is a JSON problem with the right status, which says what is wrong and where."""

import json
from typing import Any

import httpx
import pytest

from tests.examples import cluster, node

JSON = {"content-type": "application/json"}


def refusal(reply: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that ``reply`` carries, after checking what every problem has."""
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json"), reply.text
    problem: dict[str, Any] = reply.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["error"] == problem["detail"] != ""
    assert problem["title"].endswith(".")
    assert "Traceback" not in reply.text
    return problem


@pytest.mark.parametrize("path", ["/nothing", "/clusters/a/b", "/api/destroyCluster"])
def test_an_unknown_address_is_404(http: httpx.Client, path: str) -> None:
    assert path in refusal(http.get(path), 404, "route-not-found")["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/clusters", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/clusters/a", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("DELETE", "/healthz", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_is_405_and_says_which_are_right(
    http: httpx.Client, method: str, path: str, allowed: str
) -> None:
    reply = http.request(method, path)
    refusal(reply, 405, "method-not-allowed")
    assert reply.headers["allow"] == allowed


def test_options_says_which_methods_there_are(http: httpx.Client) -> None:
    reply = http.options("/clusters/anything")
    assert (reply.status_code, reply.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed-json"),
        (b"{", "malformed-json"),
        (b'{"a": NaN}', "malformed-json"),
        (b'{"a": "\xff"}', "malformed-json"),
        (b'\xef\xbb\xbf{"$set": {"regionId": "x"}}', "malformed-json"),
        (b'{"a":' * 129 + b"1" + b"}" * 129, "json-too-deep"),
        (b"[" * 2000 + b"]" * 2000, "json-too-deep"),
        (b"[" * 100_000, "json-too-deep"),
    ],
)
def test_a_body_that_is_no_sound_json_is_400(http: httpx.Client, body: bytes, code: str) -> None:
    for method, path in (("PUT", "/clusters/a"), ("POST", "/clusters"), ("POST", "/clusters/query")):
        if body == b"" and path == "/clusters/query":
            continue
        refusal(http.request(method, path, content=body, headers=JSON), 400, code)


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json; charset=latin-1",
        "application/json; charset=utf-80",
    ],
)
def test_a_body_that_is_not_called_json_is_415(http: httpx.Client, media_type: str | None) -> None:
    headers = {"content-type": media_type} if media_type else {}
    refusal(http.post("/clusters/query", content=b"{}", headers=headers), 415, "media-type-unsupported")


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8";',
        "application/json; charset=utf8",
        "application/ld+json",
    ],
)
def test_json_goes_by_several_names(http: httpx.Client, media_type: str) -> None:
    reply = http.post("/clusters/query", content=b"{}", headers={"content-type": media_type})
    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("number", "problem"),
    [(-1, "'limit' must not be negative"), (1e300, "'limit' must be 9223372036854775807 at most")],
)
def test_a_number_out_of_bounds_is_told_the_bound(http: httpx.Client, number: float, problem: str) -> None:
    reply = http.post("/clusters/query", json={"query": {}, "limit": number})
    assert refusal(reply, 400, "language-refused")["detail"] == problem


@pytest.mark.parametrize(
    ("body", "at"),
    [
        (None, ""),
        ([], ""),
        ("abc", ""),
        ({"query": None}, "/query"),
        ({"query": "abc"}, "/query"),
        ({"query": []}, "/query"),
        ({"query": {}, "limti": 5}, "/limti"),
        ({"query": {}, "limit": "5"}, "/limit"),
        ({"query": {}, "limit": -1}, "/limit"),
        ({"query": {}, "skip": 1.5}, "/skip"),
        ({"query": {}, "sort": ["a"]}, "/sort"),
        ({"query": {"a": {"$foo": 1}}}, "/query/a/$foo"),
        ({"a": {"$in": 5}}, "/a/$in"),
        ({"gpus.count": {"$gt": "lots"}}, "/gpus.count/$gt"),
        ({"$where": "true"}, "/$where"),
    ],
)
def test_a_malformed_query_is_400_and_says_where(http: httpx.Client, body: Any, at: str) -> None:
    reply = http.post("/clusters/query", content=json.dumps(body), headers=JSON)

    assert reply.status_code == 400
    problem = reply.json()
    assert [error["at"] for error in problem.get("errors", [{"at": ""}])] == [at]


@pytest.mark.parametrize(
    ("update", "status", "mongo_code"),
    [
        ({"$foo": {"a": 1}}, 400, 9),
        ({"$set": 5}, 400, 9),
        ({"$set": {"a": 1}, "$inc": {"a": 1}}, 400, 40),
        ({"$inc": {"regionId": 1}}, 400, 14),
        ({"$set": {"regionId.deep": 1}}, 400, 28),
        ({"id": "other"}, 422, 66),
        ({"$unset": {"memory": ""}}, 422, None),
        ({"memory": "lots"}, 422, None),
        ({"memory": -1}, 422, None),
        ({"memory": True}, 422, None),
        (5, 400, 9),
    ],
)
def test_a_wrong_update_is_refused_and_changes_nothing(
    http: httpx.Client, fresh_id: str, update: Any, status: int, mongo_code: int | None
) -> None:
    before = http.post("/clusters", json=cluster(fresh_id)).json()

    reply = http.put(f"/clusters/{fresh_id}", json=update)

    assert (reply.status_code, reply.json().get("mongoCode")) == (status, mongo_code), reply.text
    assert http.get(f"/clusters/{fresh_id}").json() == before


@pytest.mark.parametrize("id", ["", "a b", "a/b", "-a", ".a", "é", "x" * 254, "query", "aggregate", 5, None])
def test_an_id_that_clients_could_not_address_is_refused(http: httpx.Client, id: Any) -> None:
    reply = http.post("/clusters", json={**cluster("x"), "id": id})

    assert reply.status_code in (400, 422)
    assert [error["at"] for error in reply.json()["errors"]] == ["/id"]


def test_the_longest_id_is_accepted_with_a_warning(http: httpx.Client) -> None:
    id = "x" * 253
    reply = http.post("/clusters", json=cluster(id))
    assert reply.status_code == 201
    assert "48" in reply.headers["warning"]
    assert http.delete(f"/clusters/{id}").status_code == 200


def test_all_problems_of_a_document_come_in_one_reply(http: httpx.Client, fresh_id: str) -> None:
    broken = cluster(fresh_id, tags="gpu" * 3, memory=-1, swap="much")
    del broken["clusterMetadata"]["owner"]
    del broken["config"]["publicHostname"]

    problem = refusal(http.post("/clusters", json=broken), 422, "document-invalid")

    at = {error["at"] for error in problem["errors"]}
    assert {"/memory", "/swap", "/clusterMetadata/owner", "/config/publicHostname"} <= at


def test_unknown_fields_are_kept_with_a_warning_or_refused_when_asked(http: httpx.Client, fresh_id: str) -> None:
    document = cluster(fresh_id, zone="b")

    strict = http.post("/clusters?fieldValidation=strict", json=document)
    assert [error["at"] for error in refusal(strict, 422, "document-invalid")["errors"]] == ["/zone"]
    kept = http.post("/clusters", json=document)
    assert (kept.status_code, kept.json()["zone"]) == (201, "b")
    assert "zone" in kept.headers["warning"]
    assert http.get(f"/clusters/{fresh_id}?include=everything").status_code == 400


def test_what_the_registry_tells_can_not_be_stored(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))
    told = http.get(f"/clusters/{fresh_id}?include=registry").json()

    for reply in (
        http.post("/clusters", json={**told, "id": f"{fresh_id}-b"}),
        http.put(f"/clusters/{fresh_id}", json={"$set": {"_registry.revision": 1}}),
    ):
        assert [error["at"] for error in refusal(reply, 422, "document-invalid")["errors"]] == ["/_registry"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/clusters/{id}?revison=1", None),
        ("GET", "/clusters/{id}/nodes?limit=1", None),
        ("GET", "/clusters/{id}/history?since=1", None),
        ("GET", "/changes?before=1", None),
        ("GET", "/clusters/watch?revision=1", None),
        ("POST", "/clusters/query?limit=1", {}),
        ("POST", "/clusters/count?since=1", {}),
        ("POST", "/clusters/{id}/nodes?onconflict=refuse", node("n")),
        ("PUT", "/clusters/{id}?fieldvalidation=strict", {"extra": 1}),
        ("PUT", "/clusters/{id}/nodes?onConflict=refuse", []),
    ],
)
def test_a_parameter_that_would_do_nothing_is_refused(
    http: httpx.Client, fresh_id: str, method: str, path: str, body: Any
) -> None:
    before = http.post("/clusters", json=cluster(fresh_id)).json()

    reply = http.request(method, path.format(id=fresh_id), json=body)

    assert path.partition("?")[2].partition("=")[0] in refusal(reply, 400, "request-refused")["detail"]
    assert http.get(f"/clusters/{fresh_id}").json() == before
