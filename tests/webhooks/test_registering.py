"""Webhooks over HTTP: made, shown, changed and deleted; their secrets are shown once."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.examples import cluster
from tests.serving import ServerProcess
from tests.webhooks.receiving import Target, is_signed

Hook = Callable[..., dict[str, Any]]


def test_a_new_webhook_has_an_id_and_a_secret_and_begins_now(http: httpx.Client, hook: Hook, receiver: Target) -> None:
    made = hook(filter={"regionId": "north"}, description="for billing")

    assert made["id"].startswith("wh_")
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 32
    assert (made["url"], made["filter"], made["description"]) == (receiver.url, {"regionId": "north"}, "for billing")
    assert (made["as"], made["enabled"], made["timeoutSeconds"]) == ("document", True, 10.0)
    newest = http.get("/readyz").json()["revision"]
    assert made["status"] == {
        "state": "current",
        "revision": newest,
        "lag": 0,
        "attempts": 0,
        "nextAttemptAt": None,
        "lastSuccess": None,
        "lastError": None,
        "missedUpTo": None,
        "deadLetters": 0,
        "deadLettersDropped": 0,
        "formerSecretsUntil": [],
    }


def test_a_secret_is_shown_at_creation_and_never_again(http: httpx.Client, hook: Hook) -> None:
    made = hook()
    at = f"/webhooks/{made['id']}"
    replies = [
        http.get("/webhooks"),
        http.get(at),
        http.put(at, json={"url": made["url"]}),
        http.patch(at, json={"description": "changed"}),
        http.post(f"{at}/replay", json={"since": 0}),
    ]
    assert [reply.status_code for reply in replies] == [200, 200, 200, 200, 202]
    assert [made["secret"] in reply.text or "secret" in reply.text for reply in replies] == [False] * 5


def test_an_id_and_a_secret_may_be_given(http: httpx.Client, hook: Hook, fresh_id: str) -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()
    made = hook(id=fresh_id, secret=secret)
    assert (made["id"], made["secret"]) == (fresh_id, secret)
    again = http.post("/webhooks", json={"id": fresh_id, "url": made["url"]})
    assert (again.status_code, again.json()["code"]) == (409, "webhook-exists")


def test_a_put_replaces_what_is_not_said_with_defaults_and_a_patch_keeps_it(http: httpx.Client, hook: Hook) -> None:
    made = hook(filter={"regionId": "north"}, description="first", timeoutSeconds=3)
    at = f"/webhooks/{made['id']}"

    patched = http.patch(at, json={"filter": {"status": "live"}, "retry": {"attempts": 5}}).json()
    assert (patched["filter"], patched["description"]) == ({"status": "live"}, "first")
    assert patched["retry"] == {**made["retry"], "attempts": 5}
    assert http.patch(at, json={"timeoutSeconds": None}).json()["timeoutSeconds"] == 10.0

    replaced = http.put(at, json={"url": made["url"]}).json()
    assert (replaced["filter"], replaced["description"]) == ({}, "")
    assert replaced["retry"] == {"attempts": 12, "firstSeconds": 1.0, "longestSeconds": 900.0}
    assert replaced["createdAt"] == made["createdAt"]


def test_what_a_get_shows_can_be_put(http: httpx.Client, hook: Hook) -> None:
    at = f"/webhooks/{hook(filter={'regionId': 'north'})['id']}"
    shown = http.get(at).json()
    put = http.put(at, json=shown)
    assert (put.status_code, put.json()["filter"]) == (200, {"regionId": "north"})


def test_webhooks_are_listed_in_order_of_creation_until_they_are_deleted(http: httpx.Client, hook: Hook) -> None:
    first, second = hook()["id"], hook()["id"]
    assert [each["id"] for each in http.get("/webhooks").json()] == [first, second]

    assert http.delete(f"/webhooks/{first}").json() == {"message": "Webhook deleted"}

    assert [each["id"] for each in http.get("/webhooks").json()] == [second]
    assert http.get(f"/webhooks/{first}").json()["code"] == "webhook-not-found"
    assert http.delete(f"/webhooks/{first}").status_code == 404


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ([], None),
        ({}, "/url"),
        ({"url": 5}, "/url"),
        ({"url": "ftp://example.net/"}, "/url"),
        ({"url": "https://"}, "/url"),
        ({"url": "example.net/hook"}, "/url"),
        ({"url": "https://user:password@example.net/"}, "/url"),
        ({"url": "https://example.net/#part"}, "/url"),
        ({"url": "https://example.net/\r\nx: y"}, "/url"),
        ({"url": "https://example.net/" + "x" * 2048}, "/url"),
        ({"url": "http://10.0.0.1/"}, "/url"),
        ({"url": "http://[::1]:8080/"}, "/url"),
        ({"url": "http://[fe80::1%25eth0]/"}, "/url"),
        ({"url": "http://example net/"}, "/url"),
        ({"url": "http://example.net:65536/"}, "/url"),
        ({"url": "http://example.net:0/"}, "/url"),
        ({"url": "https://example.net/", "id": "a.b"}, "/id"),
        ({"url": "https://example.net/", "id": "x" * 65}, "/id"),
        ({"url": "https://example.net/", "secret": "whsec_short"}, "/secret"),
        ({"url": "https://example.net/", "filter": {"$where": "1"}}, "/filter/$where"),
        ({"url": "https://example.net/", "filter": {"_registry.revision": 1}}, "/filter"),
        ({"url": "https://example.net/", "filter": []}, "/filter"),
        ({"url": "https://example.net/", "as": "xml"}, "/as"),
        ({"url": "https://example.net/", "enabled": 1}, "/enabled"),
        ({"url": "https://example.net/", "timeoutSeconds": 61}, "/timeoutSeconds"),
        ({"url": "https://example.net/", "timeoutSeconds": True}, "/timeoutSeconds"),
        ({"url": "https://example.net/", "retry": {"attempts": 0}}, "/retry/attempts"),
        ({"url": "https://example.net/", "retry": {"attempts": 2.5}}, "/retry/attempts"),
        ({"url": "https://example.net/", "retry": {"often": 1}}, "/retry/often"),
        ({"url": "https://example.net/", "query": {}}, "/query"),
        ({"url": "https://example.net/", "since": -1}, "/since"),
        ({"url": "https://example.net/", "since": 999_999_999}, None),
    ],
)
def test_a_webhook_that_could_not_work_is_400_and_says_where(http: httpx.Client, body: Any, at: str | None) -> None:
    reply = http.post("/webhooks", json=body)
    assert reply.status_code == 400, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert [error["at"] for error in reply.json().get("errors", [])] == ([at] if at else [])


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_id_of_a_webhook_stays(http: httpx.Client, hook: Hook, method: str) -> None:
    made = hook()
    reply = http.request(method, f"/webhooks/{made['id']}", json={"url": made["url"], "id": "another"})
    assert (reply.status_code, reply.json()["errors"][0]["at"]) == (400, "/id")


def test_a_changed_secret_signs_beside_the_former_one(
    http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str
) -> None:
    made = hook(filter={"id": fresh_id})
    secret = "whsec_" + base64.b64encode(b"n" * 32).decode()

    assert http.patch(f"/webhooks/{made['id']}", json={"secret": secret}).status_code == 200
    http.post("/clusters", json=cluster(fresh_id))

    (received,) = receiver.wait_for(1)
    assert is_signed(received, secret)
    assert is_signed(received, made["secret"])


def secret_of(letter: bytes) -> str:
    """A secret."""
    return "whsec_" + base64.b64encode(letter * 32).decode()


def test_secrets_that_were_replaced_within_a_day_all_sign_until_they_are_ended(
    http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str
) -> None:
    made = hook(filter={"id": fresh_id})
    secrets = [made["secret"], secret_of(b"a"), secret_of(b"b")]
    for secret in secrets[1:]:
        assert http.patch(f"/webhooks/{made['id']}", json={"secret": secret}).status_code == 200
    http.post("/clusters", json=cluster(fresh_id))
    assert [is_signed(receiver.wait_for(1)[0], secret) for secret in secrets] == [True] * 3

    ended = http.patch(f"/webhooks/{made['id']}", json={"keepFormerSecrets": False})
    assert (ended.status_code, ended.json()["status"]["formerSecretsUntil"]) == (200, [])
    http.put(f"/clusters/{fresh_id}", json={"reputation": 5})
    assert [is_signed(receiver.wait_for(2)[1], secret) for secret in secrets] == [False, False, True]


def test_a_secret_that_leaked_is_replaced_at_once(
    http: httpx.Client, hook: Hook, receiver: Target, fresh_id: str
) -> None:
    made = hook(filter={"id": fresh_id})
    body = {"secret": secret_of(b"n"), "keepFormerSecrets": False}
    assert http.patch(f"/webhooks/{made['id']}", json=body).status_code == 200
    http.post("/clusters", json=cluster(fresh_id))
    (received,) = receiver.wait_for(1)
    assert [is_signed(received, secret) for secret in (made["secret"], body["secret"])] == [False, True]


def test_former_secrets_are_bounded(http: httpx.Client, hook: Hook) -> None:
    made = hook()
    replies = [http.patch(f"/webhooks/{made['id']}", json={"secret": secret_of(b"%d" % n)}) for n in range(6)]
    assert [reply.status_code for reply in replies] == [200] * 5 + [400]
    assert replies[-1].json()["errors"][0]["at"] == "/secret"
    assert len(http.get(f"/webhooks/{made['id']}").json()["status"]["formerSecretsUntil"]) == 5


@pytest.mark.parametrize("condition", [{"$divide": [1, 0]}, {"$add": ["a", 1]}, {"$gt": [{"$toInt": "x"}, "$a"]}])
@pytest.mark.parametrize("inside", [lambda filter: filter, lambda filter: {"$or": [{"a": 1}, filter]}])
def test_a_filter_that_can_never_be_evaluated_is_refused_as_a_watch_refuses_it(
    http: httpx.Client, hook: Hook, condition: Any, inside: Callable[[Any], Any]
) -> None:
    filter, made = inside({"$expr": condition}), hook()
    before = len(http.get("/webhooks").json())
    watched = http.post("/clusters/watch?wait=0s", json={"query": filter})
    for method, address in (
        ("POST", "/webhooks"),
        ("PUT", f"/webhooks/{made['id']}"),
        ("PATCH", f"/webhooks/{made['id']}"),
    ):
        reply = http.request(method, address, json={"url": made["url"], "filter": filter})
        assert (reply.status_code, reply.json()["code"]) == (400, watched.json()["code"])
        assert reply.json()["errors"][0]["at"].startswith("/filter")
    assert len(http.get("/webhooks").json()) == before


def test_there_are_no_more_webhooks_than_there_may_be(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", environment={"ROLLBOOK_WEBHOOKS_MAX": "1"}) as server:
        body = {"url": "https://example.net/"}
        assert httpx.post(f"{server.url}/webhooks", json=body).status_code == 201
        reply = httpx.post(f"{server.url}/webhooks", json=body)
        assert (reply.status_code, reply.json()["code"]) == (409, "too-many-webhooks")
