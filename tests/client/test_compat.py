"""The clients of the original registry: what each family returns for each status, and against a real registry."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from rollbook.client import NEVER
from rollbook.compat import FAMILIES, NOT_FOUND, UNEXPECTED, ClusterClient, ClustersClient, ClustersDB
from tests.examples import cluster
from tests.serving import ServerProcess


def answered(family: Any, status: int, **answer: Any) -> ClusterClient:
    transport = httpx2.MockTransport(lambda request: httpx2.Response(status, **answer))
    return ClusterClient("http://reader:secret@registry:3000", family=family, retries=NEVER, transport=transport)


REFUSED = {"json": {"error": "taken"}}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("status", "operation", "families"),
    [
        (201, "create_cluster", "ABCDE"),
        (200, "create_cluster", "ABDE"),
        (200, "read_cluster", "ABCDE"),
        (202, "update_cluster", "ABDE"),
        (204, "delete_cluster", ""),
        (404, "read_cluster", ""),
        (409, "create_cluster", ""),
        (500, "execute_query", ""),
    ],
)
def test_statuses_mean_what_they_mean_to_a_family(family: str, status: int, operation: str, families: str) -> None:
    client = answered(family, status, **({} if status == 204 else {"json": {"id": "west"}}))
    given = {"update_cluster": ("west", {}), "create_cluster": ({},), "execute_query": ({},)}.get(operation, ("west",))
    result = getattr(client, operation)(*given)
    if family == "D":
        assert (result is not None) == (family in families)
    else:
        assert result[0] == (family in families)


@pytest.mark.parametrize(
    ("family", "status", "operation", "value"),
    [
        ("A", 409, "create", {"error": "taken"}),
        ("B", 409, "create", "HTTP error occurred: 409 Client Error: Conflict for url: http://registry:3000/clusters"),
        ("A", 404, "read", "Error occurred: 404 Client Error: Not Found for url: http://registry:3000/clusters/a%2Fb"),
        ("E", 500, "read", "HTTP error occurred: 500 Server Error: Internal Server Error for url: http://registry:3000/"
         "clusters/a%2Fb"),
        ("C", 404, "read", NOT_FOUND),
        ("C", 500, "read", UNEXPECTED),
        ("C", 409, "create", UNEXPECTED),
    ],
)  # fmt: skip
def test_failures_have_the_words_of_the_family(family: str, status: int, operation: str, value: Any) -> None:
    client = answered(family, status, **REFUSED)
    assert (client.create_cluster({}) if operation == "create" else client.read_cluster("a/b")) == (False, value)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_originals_raised_is_a_failure(family: Any) -> None:
    page = answered(family, 502, text="<html>Bad Gateway</html>")
    away = ClusterClient("http://127.0.0.1:9", family=family, retries=NEVER)
    for result in (page.create_cluster({}), away.create_cluster({}), away.read_cluster("west")):
        if family == "D":
            assert result is None
        else:
            ok, words = result
            assert (ok, isinstance(words, str), "secret" in words) == (False, True, False)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ServerProcess(tmp_path_factory.mktemp("compat") / "data") as server:
        yield server.url


@pytest.mark.parametrize("family", "ABE")
def test_a_cluster_client_does_all_on_a_registry(url: str, family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTER_SERVICE_URL", url)
    client = ClusterClient(family=family)
    ok, created = client.create_cluster(cluster("west"))
    assert (ok, created["id"]) == (True, "west")
    assert client.create_cluster(cluster("west"))[0] is False
    assert client.read_cluster("west") == (True, created)
    ok, updated = client.update_cluster("west", {"$set": {"status": "busy"}})
    assert (ok, updated["status"]) == (True, "busy")
    assert client.execute_query({"status": "busy"}) == (True, [updated])
    assert client.delete_cluster("west") == (True, {"message": "Cluster deleted"})
    assert "404" in client.read_cluster("west")[1]
    client.close()


def test_a_clusters_db_does_all_on_a_registry(url: str) -> None:
    client = ClustersDB(url)
    ok, created = client.create_cluster(cluster("east"))
    assert (ok, created["id"]) == (True, "east")
    assert client.get_cluster_by_id("east") == (True, created)
    ok, updated = client.update_cluster_by_id("east", {"reputation": 3})
    assert (ok, updated["reputation"]) == (True, 3)
    assert client.query_clusters({"id": "east"}) == (True, [updated])
    assert client.delete_cluster_by_id("east") == (True, {"message": "Cluster deleted"})
    assert client.get_cluster_by_id("east") == (False, NOT_FOUND)
    client.close()


def test_a_clusters_client_returns_values_or_none(url: str) -> None:
    client = ClustersClient(url)
    assert client.read_cluster("nowhere") is None
    assert client.execute_query({"id": "nowhere"}) == []
    client.close()
