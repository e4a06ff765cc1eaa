"""The example of every operation, as /openapi.json shows it, does what it says, and the answer follows its schema."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator

from rollbook.api.declarations import JSON, JSON_SCHEMA, NDJSON, Operation
from rollbook.api.operations import OPERATIONS
from tests.api.specified import EXAMPLE
from tests.serving import ServerProcess

SECONDS_MAX = 20.0
ID = EXAMPLE["id"]
REFUSING = "http://127.0.0.1:9/hooks"
ADMIN = "admin-" + "x" * 40


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A registry whose webhooks may go to this machine, where nobody takes them."""
    directory: Path = tmp_path_factory.mktemp("examples")
    (directory / "admin").write_text(ADMIN)
    environment = {
        "ROLLBOOK_WEBHOOKS_PRIVATE": "127.0.0.1/32",
        "ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin"),
    }
    headers = {"authorization": f"Bearer {ADMIN}"}
    with (
        ServerProcess(directory / "data", environment=environment) as server,
        httpx.Client(base_url=server.url, timeout=20, headers=headers) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def description(http: httpx.Client) -> dict[str, Any]:
    described: dict[str, Any] = http.get("/openapi.json").json()
    return described


@pytest.fixture
def furnished(http: httpx.Client, request: pytest.FixtureRequest) -> httpx.Client:
    """The specified cluster and, where the operation is about one, the webhook of the examples with a dead letter, a
    token, or the role of the examples.
    """
    operation: Operation = request.getfixturevalue("operation")
    for made in ("east", "north"):
        http.delete(f"/clusters/{made}")
    http.delete(f"/clusters/{ID}/protection")
    http.delete(f"/clusters/{ID}")
    revision = http.post("/clusters", json=EXAMPLE).headers["etag"].strip('"')
    for token in http.get("/tokens").json():
        http.delete(f"/tokens/{token['id']}")
    if operation.path.startswith("/tokens/"):
        http.post("/tokens", json={"name": "made", "roles": ["reader"]})
    http.delete("/roles/live-reader")
    if operation.path == "/roles/{name}" and operation.method != "PUT":
        http.put("/roles/live-reader", json={"rules": [{"verbs": ["read"]}]})
    http.delete("/webhooks/alerts")
    if operation.path.startswith("/webhooks/"):
        webhook = {"id": "alerts", "url": REFUSING, "since": int(revision) - 1, "retry": {"attempts": 1}}
        assert http.post("/webhooks", json=webhook).status_code == 201
        deadline = time.monotonic() + SECONDS_MAX
        while not http.get("/webhooks/alerts/dead-letters").json():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    return http


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_example_of_an_operation_works(
    furnished: httpx.Client, description: dict[str, Any], operation: Operation
) -> None:
    described = description["paths"][operation.template][operation.method.lower()]
    reply = send(furnished, operation, described["parameters"], {})

    assert reply.status_code == operation.answers[0].status, reply.text
    answer = described["responses"][str(reply.status_code)]
    media_type = reply.headers["content-type"].partition(";")[0]
    if media_type in (JSON, JSON_SCHEMA):
        schema = {**answer["content"][media_type]["schema"], "components": description["components"]}
        assert [error.message for error in OAS31Validator(schema).iter_errors(reply.json())] == []


TAKING = [(operation, parameter.name) for operation in OPERATIONS for parameter in operation.parameters]


@pytest.mark.parametrize(("operation", "name"), TAKING, ids=[f"{each.name}-{name}" for each, name in TAKING])
def test_the_example_works_with_each_parameter(
    furnished: httpx.Client, description: dict[str, Any], operation: Operation, name: str
) -> None:
    described = description["paths"][operation.template][operation.method.lower()]
    newest = furnished.get("/readyz").json()["revision"]
    values = {"at": datetime.now(UTC).isoformat(), "revision": newest, "since": newest, "filter": "{}", "wait": "0s"}
    words = {each["name"]: example_of(each["schema"]) for each in described["parameters"]}
    if name == "cursor":
        values["cursor"] = second_page(furnished, operation)
    reply = send(furnished, operation, described["parameters"], {name: values.get(name, words[name])})
    assert reply.status_code == (200 if name == "dryRun" else operation.answers[0].status), reply.text
    answer = described["responses"][str(reply.status_code)]
    media_type = reply.headers["content-type"].partition(";")[0]
    if media_type in (JSON, JSON_SCHEMA):
        schema = {**answer["content"][media_type]["schema"], "components": description["components"]}
        assert [error.message for error in OAS31Validator(schema).iter_errors(reply.json())] == []


def example_of(schema: dict[str, Any]) -> str:
    """A value that a parameter may have."""
    one = [*schema.get("enum", ()), *schema.get("items", {}).get("enum", ()), *schema.get("examples", ()), "5"][0]
    return ",".join(one) if isinstance(one, list) else one


def second_page(http: httpx.Client, operation: Operation) -> str:
    """The cursor of the second page of an operation's example."""
    assert http.post("/clusters", json={**EXAMPLE, "id": "north"}).status_code == 201
    if operation.body is None:
        reply = http.request(operation.method, operation.path, params={"limit": 1})
    else:
        first = {**operation.body.example, "limit": 1, "cursor": None}
        reply = http.request(operation.method, operation.path, json=first)
    return httpx.URL(reply.links["next"]["url"]).params["cursor"]


def send(
    http: httpx.Client, operation: Operation, described: list[dict[str, Any]], more: dict[str, Any]
) -> httpx.Response:
    """The example of an operation, with ``more`` parameters."""
    path = operation.template
    for each in described:
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", each["example"])
    if "{number}" in operation.path:  # a number is never given twice
        letters = http.get("/webhooks/alerts/dead-letters").json()
        path = path.replace("dead-letters/1", f"dead-letters/{letters[0]['number']}")
    if operation.path.startswith("/tokens/"):  # whose id is made up
        path = path.replace("7Gq2LmX0aZ", http.get("/tokens").json()[0]["id"])
    body = None if operation.body is None else operation.body.example
    waiting = {"wait": "0s"} if operation.streams else {}
    if operation.reads_lines:
        return http.request(operation.method, path, content=body, headers={"content-type": NDJSON}, params=more)
    return http.request(operation.method, path, json=body, params={**waiting, **more})
