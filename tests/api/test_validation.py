"""Judging a document without writing it."""

import httpx

from tests.api.test_refusals import refusal
from tests.examples import cluster, node


def test_a_sound_document_is_shown_as_it_would_be_stored(http: httpx.Client, fresh_id: str) -> None:
    document = cluster(fresh_id, node("n-1"), odd="field")
    for body in (document, {"header": {}, "body": {"spec": {"values": document}}}):
        said = http.post("/clusters/validate", json=body).json()
        assert (said["valid"], said["problems"]) == (True, [])
        assert "odd" in said["warnings"][0]
    refusal(http.get(f"/clusters/{fresh_id}"), 404, "cluster-not-found")
    assert http.post("/clusters", json=document).json() == said["document"]
    assert http.post("/clusters/validate", json=document).json()["valid"] is True  # though its id is taken


def test_every_problem_is_listed_as_the_refusal_lists_it(http: httpx.Client, fresh_id: str) -> None:
    for document in ({"id": fresh_id, "memory": -1}, cluster("a b"), cluster("query"), 5, []):
        said = http.post("/clusters/validate", json=document).json()
        refused = http.post("/clusters", json=document).json()
        assert (said["valid"], said["document"]) == (False, None)
        assert said["problems"] == refused["errors"]


def test_strictness_is_asked_for(http: httpx.Client, fresh_id: str) -> None:
    strict = {"fieldValidation": "strict"}
    said = http.post("/clusters/validate", json=cluster(fresh_id, odd="field"), params=strict).json()
    assert [each["at"] for each in said["problems"]] == ["/odd"]


def test_what_is_no_json_is_refused(http: httpx.Client) -> None:
    answer = http.post("/clusters/validate", content=b"{", headers={"content-type": "application/json"})
    refusal(answer, 400, "malformed-json")
