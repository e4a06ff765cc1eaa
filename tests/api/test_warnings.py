"""A ``Warning`` says what is odd about a document, or a filter: on every operation that declares one."""

import itertools
from typing import Any

import httpx

from rollbook.api.operations import OPERATIONS
from tests.api.test_undocumented_paths import MISSPELT, OPERATIONS_WITH_FILTERS, ask_with, remove_webhooks
from tests.examples import cluster, node

ids = (f"warned-{number}" for number in itertools.count())


def answers_to_odd_documents(http: httpx.Client) -> dict[str, httpx.Response]:
    """The answer of each operation to a document with a field that no schema has, and that was not there before."""
    id, answers = next(ids), {}
    at = f"/clusters/{id}"

    def ask(operation: str, method: str, path: str, body: Any) -> None:
        answers[operation] = http.request(method, path, json=body)

    ask("createCluster", "POST", "/clusters", cluster(id, node("n-1"), first="b"))
    ask("updateCluster", "PUT", at, {"$set": {"second": "b"}})
    ask("patchCluster", "PATCH", at, {"patched": "b"})
    ask("replaceDocument", "PUT", f"{at}/document", cluster(id, node("n-1"), replaced="b"))
    ask("joinNode", "POST", f"{at}/nodes", {**node("n-2"), "third": "b"})
    ask("replaceNode", "PUT", f"{at}/nodes/n-1", {**node("n-1"), "fourth": "b"})
    ask("patchNode", "PATCH", f"{at}/nodes/n-1", {"fifth": "b"})
    ask("replaceNodes", "PUT", f"{at}/nodes", [{**node("n-1"), "sixth": "b"}])
    ask("addNode", "POST", "/api/addNode", {"clusterId": id, "nodeData": node("n-3"), "mode": "b"})
    http.put(at, json={"$unset": {"first": "", "replaced": ""}})
    revision = int(answers["createCluster"].headers["etag"].strip('"'))
    ask("restoreCluster", "POST", f"{at}/restore", {"revision": revision})
    spec = {"values": cluster(next(ids), first="b")}
    ask("createClusterFromSpec", "POST", "/api/createCluster", {"body": {"spec": spec}})
    return answers


def test_every_operation_that_declares_a_warning_gives_it(http: httpx.Client) -> None:
    declared = {
        operation.name
        for operation in OPERATIONS
        for answer in operation.answers
        if any(header.name == "Warning" for header in answer.headers)
    }

    answers = answers_to_odd_documents(http)
    answers |= {name: ask_with(http, name, MISSPELT) for name in OPERATIONS_WITH_FILTERS if name not in answers}
    remove_webhooks(http)

    assert {
        name: (answer.status_code < 300, "warning" in answer.headers) for name, answer in answers.items()
    } == dict.fromkeys(declared, (True, True))
