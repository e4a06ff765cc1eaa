"""The clients of the original registry, with the names of their methods and the results of each family.

Theory: the services of the network have 17 copies of one small module, in five families that differ in what they call
success and in the words of their failures. Here they are one class with the rules of a family:

- A, the controllers, Parser and search server: ``(ok, value)``; any status below 400 with JSON is success. A creation
  that was refused returns the body of the refusal.
- B, the allocator and the gateway: like A; a creation that was refused returns words as everything else does.
- C, ``ClustersDB``, the blocks and the SDK: only 201 is a creation, and only 200 success of anything else.
- D, ``ClustersClient``, the block transactions: the value, or None.
- E, the executor of remote Kubernetes objects: like B.

One rule: nothing is raised. What the originals raised (a refusal that is not JSON, no connection) is a failure.
"""

import os
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from rollbook.client import Client
from rollbook.client.calls import Answer, Call, encoded, path_of
from rollbook.client.replies import NOT_JSON, decoded
from rollbook.errors import RegistryError

Family: TypeAlias = Literal["A", "B", "C", "D", "E"]

DEFAULT_URL = "http://localhost:3000"
NOT_FOUND = "Cluster not found"
UNEXPECTED = "API returned non-200/404 status code"


class Rules(Struct, frozen=True):
    """What a family does: the beginning of its words for a refusal, the exact statuses of success where it has them,
    whether a refused creation returns its body, and whether ``ok`` is returned."""

    refusal: str = "Error occurred: "
    created: int | None = None
    done: int | None = None
    body_of_refused_creation: bool = False
    in_pairs: bool = True


FAMILIES: Mapping[str, Rules] = {
    "A": Rules(body_of_refused_creation=True),
    "B": Rules("HTTP error occurred: "),
    "C": Rules(created=201, done=200),
    "D": Rules(in_pairs=False),
    "E": Rules("HTTP error occurred: "),
}


class ClusterClient:
    """The methods of the families' ``ClusterClient``, over HTTP. Thread-safe.

    ``url`` is that of the registry, else ``CLUSTER_SERVICE_URL``, else http://localhost:3000.
    """

    def __init__(self, url: str | None = None, *, family: Family = "A", **options: Any) -> None:
        url = url or os.environ.get("CLUSTER_SERVICE_URL") or DEFAULT_URL
        self._rules = FAMILIES[family]
        self._url = url.rstrip("/")
        self._client = Client(self._url, **options)

    def create_cluster(self, cluster_data: Any) -> Any:
        """Create a cluster; the stored document."""
        return self._asked("POST", "/clusters", cluster_data)

    def read_cluster(self, cluster_id: str) -> Any:
        """Read a cluster; its document."""
        return self._asked("GET", path_of("clusters", cluster_id))

    def update_cluster(self, cluster_id: str, update_data: Any) -> Any:
        """Update a cluster; the document after it."""
        return self._asked("PUT", path_of("clusters", cluster_id), update_data)

    def delete_cluster(self, cluster_id: str) -> Any:
        """Delete a cluster; a message that says so."""
        return self._asked("DELETE", path_of("clusters", cluster_id))

    def execute_query(self, query: Any) -> Any:
        """Find clusters; the list of their documents."""
        return self._asked("POST", "/clusters/query", {"query": query})

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _asked(self, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else encoded(body)
        repeatable = method == "GET" or path.endswith("/query")
        call = Call(method, path, lambda answer: answer, body=content, repeatable=repeatable)
        is_creation = (method, path) == ("POST", "/clusters")
        try:
            ok, value = self._judged(self._client.send(call), path, is_creation=is_creation)
        except RegistryError as error:
            ok, value = False, f"Error occurred: {error.message}"
        if self._rules.in_pairs:
            return ok, value
        return value if ok else None

    def _judged(self, answer: Answer, path: str, *, is_creation: bool) -> tuple[bool, Any]:
        rules = self._rules
        unreadable, value = "", None
        try:
            value = decoded(answer.body)
        except NOT_JSON as error:
            unreadable = str(error) or "nothing"
        exact = rules.created if is_creation else rules.done
        if exact is not None and answer.status != exact:
            return False, NOT_FOUND if answer.status == 404 else UNEXPECTED
        if answer.status >= 400:
            if is_creation and rules.body_of_refused_creation and not unreadable:
                return False, value
            side = "Client" if answer.status < 500 else "Server"
            words = f"{answer.status} {side} Error: {answer.reason} for url: {self._client.shown}{path}"
            return False, f"{rules.refusal}{words}"
        if unreadable:
            return False, f"Error occurred: the answer is not JSON: {unreadable}"
        return True, value


class ClustersDB:
    """The methods of family C."""

    def __init__(self, url: str | None = None, **options: Any) -> None:
        self._client = ClusterClient(url, family="C", **options)

    def create_cluster(self, cluster_data: Any) -> tuple[bool, Any]:
        """Create a cluster; ``(True, document)`` or ``(False, words)``."""
        return self._client.create_cluster(cluster_data)  # type: ignore[no-any-return]

    def get_cluster_by_id(self, cluster_id: str) -> tuple[bool, Any]:
        """Read a cluster; ``(True, document)`` or ``(False, words)``."""
        return self._client.read_cluster(cluster_id)  # type: ignore[no-any-return]

    def update_cluster_by_id(self, cluster_id: str, update_data: Any) -> tuple[bool, Any]:
        """Update a cluster; ``(True, document)`` or ``(False, words)``."""
        return self._client.update_cluster(cluster_id, update_data)  # type: ignore[no-any-return]

    def delete_cluster_by_id(self, cluster_id: str) -> tuple[bool, Any]:
        """Delete a cluster; ``(True, message)`` or ``(False, words)``."""
        return self._client.delete_cluster(cluster_id)  # type: ignore[no-any-return]

    def query_clusters(self, query: Any) -> tuple[bool, Any]:
        """Find clusters; ``(True, documents)`` or ``(False, words)``."""
        return self._client.execute_query(query)  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class ClustersClient(ClusterClient):
    """The methods of family D: the value, or None."""

    def __init__(self, url: str | None = None, **options: Any) -> None:
        super().__init__(url, family="D", **options)
