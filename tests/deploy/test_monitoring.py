"""Rules and dashboard ask for what a registry reports: a real Prometheus scrapes a real registry, and answers them."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.examples import cluster
from tests.serving import ServerProcess, free_port

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"
SECONDS_MAX = 60
WITHOUT_SERIES = {"rollbook_task_restarts_total"}
"""A counter that has no series before something has failed."""

pytestmark = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")), reason="Prometheus is not installed"
)


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load((FOLDER / "rules.yaml").read_text())["groups"] for rule in group["rules"]]


def dashboard_queries() -> list[str]:
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A Prometheus that has scraped a registry in use a few times."""
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    with ServerProcess(folder / "data") as registry:
        use(registry)
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(FOLDER / "rules.yaml")],
            "scrape_configs": [
                {"job_name": "rollbook", "static_configs": [{"targets": [f"127.0.0.1:{registry.port}"]}]}
            ],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                wait_until_scraped(client, times=3)
                yield client
        finally:
            process.terminate()
            process.wait(20)


def use(registry: ServerProcess) -> None:
    """A request of each kind that a panel is about."""
    with httpx.Client(base_url=registry.url) as client:
        client.post("/clusters", json=cluster("west"))
        client.get("/clusters/west")
        client.post("/clusters/west/heartbeat")
        client.get("/clusters/none")


def wait_until_scraped(client: httpx.Client, *, times: int) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            found = value_of(client, f"count_over_time(rollbook_clusters[1m]) >= {times}")
        except (httpx.TransportError, KeyError):
            found = []
        if found:
            return
        time.sleep(0.2)
    raise AssertionError("Prometheus did not scrape the registry")


def value_of(client: httpx.Client, expression: str) -> list[Any]:
    answer = client.get("/api/v1/query", params={"query": expression}).json()
    assert answer["status"] == "success", answer
    return list(answer["data"]["result"])


@pytest.mark.parametrize("expression", dashboard_queries())
def test_every_query_of_the_dashboard_finds_its_metrics(prometheus: httpx.Client, expression: str) -> None:
    assert value_of(prometheus, expression.replace("$__rate_interval", "1m"))


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_rule_asks_for_metrics_that_exist(prometheus: httpx.Client, rule: dict[str, Any]) -> None:
    known = set(prometheus.get("/api/v1/label/__name__/values").json()["data"])

    named = set(re.findall(r"\b(?:rollbook_\w+|up)\b", rule["expr"]))
    assert named
    assert named <= known | WITHOUT_SERIES


def test_a_registry_in_order_sets_off_no_alert(prometheus: httpx.Client) -> None:
    alerts = prometheus.get("/api/v1/alerts").json()["data"]["alerts"]
    assert [alert["labels"]["alertname"] for alert in alerts] == []


def test_the_rules_are_valid_and_the_dashboard_is_the_one_that_is_made() -> None:
    checked = subprocess.run(["promtool", "check", "rules", str(FOLDER / "rules.yaml")], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    made = subprocess.run(["python3", str(FOLDER / "make_dashboard.py")], capture_output=True, text=True, check=True)
    assert made.stdout == (FOLDER / "dashboard.json").read_text()
