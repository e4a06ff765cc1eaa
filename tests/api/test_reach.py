"""Who may ask what on which interface: on loopback or not, with roles for networks, and under observation."""

from pathlib import Path

import httpx
import pytest

from rollbook.errors import SettingRefused
from rollbook.settings import settings_from
from tests.examples import cluster
from tests.serving import ServerProcess

ADMIN = "admin-" + "x" * 40
BEARER = {"authorization": f"Bearer {ADMIN}"}


def server_in(directory: Path, **environment: str) -> ServerProcess:
    """A server that knows an administrator."""
    (directory / "admin").write_text(ADMIN)
    settings = {"ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin"), **environment}
    return ServerProcess(directory / "data", environment=settings)


def test_off_loopback_metrics_and_details_need_the_verb(tmp_path: Path) -> None:
    with server_in(tmp_path, ROLLBOOK_HOST="0.0.0.0") as server:
        assert httpx.get(server.url + "/readyz").json() == {"status": "ready"}
        assert httpx.get(server.url + "/metrics").status_code == 401
        assert httpx.get(server.url + "/healthz").status_code == 200
        assert httpx.get(server.url + "/readyz", headers=BEARER).json()["writable"]
        assert httpx.get(server.url + "/metrics", headers=BEARER).status_code == 200
        reader = httpx.post(server.url + "/tokens", json={"name": "r", "roles": ["reader"]}, headers=BEARER).json()
        weak = {"authorization": f"Bearer {reader['token']}"}
        assert httpx.get(server.url + "/metrics", headers=weak).status_code == 403
        assert httpx.get(server.url + "/readyz", headers=weak).json() == {"status": "ready"}


def test_a_network_has_the_role_that_the_settings_give_it(tmp_path: Path) -> None:
    proxies = {"ROLLBOOK_TRUSTED_PROXIES": "127.0.0.1/32"}
    with server_in(tmp_path, ROLLBOOK_ANONYMOUS="reader@10.0.0.0/8,legacy@10.1.0.0/16", **proxies) as server:
        httpx.post(server.url + "/clusters", json=cluster("west"), headers=BEARER).raise_for_status()
        for address, reading, writing in (("10.0.0.1", 200, 401), ("10.1.0.1", 200, 200), ("11.0.0.1", 401, 401)):
            headers = {"x-forwarded-for": address}
            assert httpx.get(server.url + "/clusters/west", headers=headers).status_code == reading, address
            changed = httpx.put(server.url + "/clusters/west", json={"$set": {"tags": []}}, headers=headers)
            assert changed.status_code == writing, address
        access = httpx.get(server.url + "/access", headers={"x-forwarded-for": "10.1.0.1"}).json()
        assert (access["caller"], access["roles"]) == ("anonymous@10.1.0.1", ["reader", "legacy"])


def test_a_registry_that_observes_lets_everybody_pass_and_says_what_it_would_refuse(tmp_path: Path) -> None:
    with server_in(tmp_path, ROLLBOOK_SECURITY="observe") as server:
        anybody = httpx.Client(base_url=server.url)
        assert anybody.post("/clusters", json=cluster("west")).status_code == 201
        assert anybody.get("/clusters/west").status_code == 200
        assert anybody.put("/clusters/west", json={"$set": {"tags": []}}).status_code == 200
        assert anybody.post("/clusters/query", json={}, headers={"authorization": "Bearer wrong"}).status_code == 200
        assert anybody.get("/access").json()["enforcement"] == "observed"
        assert anybody.post("/tokens", json={"name": "x", "roles": ["admin"]}).status_code == 401
        assert anybody.get("/audit").status_code == 401
        log = server.log.read_text()
        assert "would be refused: createCluster takes the verb 'create'" in log
        assert "would be refused: wrong credentials from 127.0.0.1" in log
        metrics = anybody.get("/metrics").text
        for verb, outcome, count in (
            ("create", "observed", 1),
            ("read", "observed", 2),
            ("credentials", "observed", 1),
            ("tokens", "enforced", 1),
        ):
            sample = f'rollbook_access_refusals_total{{outcome="{outcome}",verb="{verb}"}} {count}.0'
            assert sample in metrics.replace(f'verb="{verb}",outcome="{outcome}"', f'outcome="{outcome}",verb="{verb}"')
        reader = httpx.post(server.url + "/tokens", json={"name": "r", "roles": ["reader"]}, headers=BEARER).json()
        weak = {"authorization": f"Bearer {reader['token']}"}
        assert anybody.delete("/clusters/west", headers=weak).status_code == 200
        assert "token:r@127.0.0.1 may not deleteCluster" in server.log.read_text()


def test_a_registry_that_observes_says_which_clusters_and_paths_would_be_out_of_reach(tmp_path: Path) -> None:
    with server_in(tmp_path, ROLLBOOK_SECURITY="observe") as server:
        anybody = httpx.Client(base_url=server.url)
        for id in ("west", "east"):
            metadata = {"name": id, "description": "", "owner": "ml", "email": "a@b.example", "countries": []}
            anybody.post("/clusters", json={**cluster(id), "clusterMetadata": metadata}).raise_for_status()
        asked = {"name": "west", "roles": ["controller"], "clusters": ["west"]}
        token = httpx.post(server.url + "/tokens", json=asked, headers=BEARER).json()["token"]
        with httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {token}"}) as controller:
            assert controller.get("/clusters/west").status_code == 200
            assert controller.get("/clusters/east").json()["clusterMetadata"]["email"] == "a@b.example"
            assert controller.put("/clusters/west", json={"$set": {"tags": ["x"]}}).status_code == 200
            assert controller.put("/clusters/east", json={"$set": {"status": "x"}}).status_code == 200
            assert controller.put("/clusters/west", json={"$set": {"status": "x"}}).status_code == 200
            assert controller.post("/clusters/east/heartbeat").status_code == 200
        log = server.log.read_text()
        caller = "token:west@127.0.0.1"
        assert f"would be refused: {caller} would not see" in log
        assert "clusterMetadata.email" in log
        assert f"would be refused: {caller}, update of 'west': you may not change 'tags'" in log
        assert f"would be refused: {caller}, update of 'east': you may not use the verb 'update'" in log
        assert f"would be refused: {caller} may not send heartbeats of 'east'" in log
        assert log.count(f"would be refused: {caller}") == 4
        metrics = anybody.get("/metrics").text
        sample = 'rollbook_access_refusals_total{outcome="observed",verb="update"} 2.0'
        assert sample in metrics.replace('verb="update",outcome="observed"', 'outcome="observed",verb="update"')


@pytest.mark.parametrize("value", ["reader", "reader@", "@10.0.0.0/8", "Reader@10.0.0.0/8", "reader@10.0.0.1/8"])
def test_roles_of_networks_that_can_not_be_read_are_refused(value: str) -> None:
    with pytest.raises(SettingRefused, match="such as legacy@"):
        settings_from({"ROLLBOOK_ANONYMOUS": value})
