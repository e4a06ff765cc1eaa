"""The samples at ``GET /metrics`` follow what happened."""

import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from rollbook.api.metrics.caller_counts import CALLERS_MAX, CallerCounts
from rollbook.api.metrics.scraping import METRICS
from rollbook.api.operations import OPERATIONS
from rollbook.histograms import BOUNDS_SECONDS
from rollbook.security.callers import Caller
from tests.api.test_plain_queries import query, replies
from tests.api.test_wire import exchange, head
from tests.examples import cluster
from tests.postgresql import IS_SHARED
from tests.serving import ServerProcess

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def scraped(http: httpx.Client) -> Samples:
    """Every sample by its name and labels."""
    reply = http.get("/metrics")
    assert reply.status_code == 200, reply.text
    families = text_string_to_metric_families(reply.text)
    return {key(each.name, **each.labels): each.value for family in families for each in family.samples}


class Watched:
    """What samples have grown by since they were first looked at."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._before = scraped(http)

    def grown(self, name: str, **labels: str) -> float:
        now = scraped(self._http)
        return now[key(name, **labels)] - self._before.get(key(name, **labels), 0.0)

    def requests(self, route: str, method: str, status: str) -> float:
        return self.grown("rollbook_http_requests_total", route=route, method=method, status=status)


@pytest.fixture
def samples(http: httpx.Client) -> Watched:
    return Watched(http)


def enrol(http: httpx.Client, id: str, **fields: Any) -> httpx.Response:
    reply = http.post("/clusters", json=cluster(id, **fields))
    assert reply.status_code == 201
    return reply


def test_the_answer_is_prometheus_text(http: httpx.Client) -> None:
    reply = http.get("/metrics")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert {family.name for family in text_string_to_metric_families(reply.text)} >= {"rollbook_clusters"}


def test_the_route_takes_what_other_routes_take(http: httpx.Client) -> None:
    assert (http.head("/metrics").status_code, http.head("/metrics").content) == (200, b"")
    assert http.get("/metrics/").status_code == 200
    refused = http.post("/metrics")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert http.options("/metrics").status_code == 204


def test_every_metric_is_told_and_explained_and_nothing_else_is(http: httpx.Client) -> None:
    families = {family.name: family for family in text_string_to_metric_families(http.get("/metrics").text)}
    ours = {name: family for name, family in families.items() if name.startswith("rollbook_")}
    assert ours.keys() == {metric.name.removesuffix("_total") for metric in METRICS}
    for metric in METRICS:
        family = ours[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind, metric.meaning)
        labels = {name for sample in family.samples for name in sample.labels} - {"le"}
        assert labels in (set(metric.labels), set())
    assert {name for name in families if not name.startswith("rollbook_")} >= {"process_resident_memory_bytes"}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_named_as_prometheus_asks_and_explained_in_a_sentence(metric) -> None:
    assert metric.name.startswith("rollbook_")
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.meaning[0].isupper() or metric.meaning[0].isdigit()
    assert metric.meaning.endswith(".")


def test_what_is_held_follows_creation_update_and_deletion(http: httpx.Client, fresh_id: str, samples: Watched) -> None:
    def grown() -> tuple[float, ...]:
        names = ("rollbook_clusters", "rollbook_revision", "rollbook_history_changes", "rollbook_document_bytes")
        return tuple(samples.grown(name) for name in names)

    body = enrol(http, fresh_id).content
    assert grown() == (1, 1, 1, len(body))
    longer = http.put(f"/clusters/{fresh_id}", json={"tags": ["a longer list"]}).content
    assert len(longer) > len(body)
    assert grown() == (1, 2, 2, len(longer))
    http.delete(f"/clusters/{fresh_id}")
    assert grown() == (0, 3, 3, 0)


def test_writes_are_counted_by_what_became_of_them(http: httpx.Client, fresh_id: str, samples: Watched) -> None:
    enrol(http, fresh_id)
    assert http.post("/clusters", json=cluster(fresh_id)).status_code == 409
    for _ in range(2):
        http.put(f"/clusters/{fresh_id}", json={"status": "busy"})
    http.put(f"/clusters/{fresh_id}/protection")
    assert http.delete(f"/clusters/{fresh_id}").status_code == 409
    http.delete(f"/clusters/{fresh_id}/protection")
    http.delete(f"/clusters/{fresh_id}")
    kinds = ("created", "updated", "deleted", "protected", "unprotected")
    assert [samples.grown("rollbook_changes_total", kind=kind) for kind in kinds] == [1, 1, 1, 1, 1]
    results = ("changed", "unchanged", "refused", "failed")
    assert [samples.grown("rollbook_commands_total", result=result) for result in results] == [5, 1, 2, 0]
    assert samples.grown("rollbook_commits_total") == 5


def test_batches_are_measured_and_so_is_the_disk(http: httpx.Client, fresh_id: str, samples: Watched) -> None:
    enrol(http, fresh_id)
    for status in ("busy", "idle", "idle"):
        http.put(f"/clusters/{fresh_id}", json={"status": status})
    measured = ("commit_duration_seconds", "journal_sync_duration_seconds", "commit_batch_commands")
    assert [samples.grown(f"rollbook_{name}_count") for name in measured] == [3, 3, 3]
    assert samples.grown("rollbook_commit_batch_commands_bucket", le="1") == 3
    assert samples.grown("rollbook_commit_batch_commands_sum") == 3
    spent = [samples.grown(f"rollbook_{name}_sum") for name in measured[:2]]
    assert 0 < spent[1] <= spent[0]
    if not IS_SHARED:  # the disk is the engine's
        assert scraped(http)[key("rollbook_journal_free_bytes")] > 0


def test_requests_are_counted_by_caller_and_verb(http: httpx.Client, fresh_id: str, samples: Watched) -> None:
    enrol(http, fresh_id)
    http.get(f"/clusters/{fresh_id}")  # a shortcut answers it; the application answers the next
    http.get(f"/clusters/{fresh_id}", headers={"accept-encoding": "gzip", "if-none-match": '"0"'})
    http.get("/version")

    def grown(verb: str) -> float:
        return samples.grown("rollbook_caller_requests_total", caller="anonymous", verb=verb)

    assert [grown(verb) for verb in ("create", "read", "none")] == [1, 2, 1]


def test_callers_beyond_the_first_hundred_are_counted_together() -> None:
    counts = CallerCounts()
    for number in range(CALLERS_MAX + 5):
        for address in ("192.0.2.1", "2001:db8::1"):
            counts.of(Caller(f"token:ci-{number}@{address}", "token")).verbs["read"] += 1
    found = counts.counts()
    assert len(found) == CALLERS_MAX + 1
    assert (found["token:ci-7", "read"], found["other", "read"]) == (2, 10)


def test_plain_reads_and_queries_are_counted_as_any_other_request(
    server: ServerProcess, http: httpx.Client, fresh_id: str, samples: Watched
) -> None:
    enrol(http, fresh_id, regionId=fresh_id)
    replies(server, head("GET", f"/clusters/{fresh_id}") * 20, query({"regionId": fresh_id}) * 3, count=23)
    assert samples.requests("/clusters/{id}", "GET", "2xx") == 20
    assert samples.requests("/clusters/query", "POST", "2xx") == 3
    http.get(f"/clusters/{fresh_id}", params={"include": "registry"})
    http.post("/clusters/query", json={"query": {"regionId": fresh_id}, "sort": {"id": 1}})
    assert samples.requests("/clusters/{id}", "GET", "2xx") == 21
    assert samples.requests("/clusters/query", "POST", "2xx") == 4


def test_one_plain_read_is_timed_for_every_sixteen(
    server: ServerProcess, http: httpx.Client, fresh_id: str, samples: Watched
) -> None:
    enrol(http, fresh_id)
    replies(server, head("GET", f"/clusters/{fresh_id}") * 32, count=32)
    assert samples.requests("/clusters/{id}", "GET", "2xx") == 32
    name, labels = "rollbook_http_request_duration_seconds_count", {"route": "/clusters/{id}", "method": "GET"}
    assert samples.grown(name, **labels) == 32


def test_refusals_are_counted_under_their_route_and_what_has_none_under_other(
    http: httpx.Client, samples: Watched
) -> None:
    http.get("/clusters/nobody")
    http.get("/clusters/nobody?include=registry")
    http.request("PATCH", "/clusters/nobody")
    http.get("/nowhere/at/all")
    http.request("PROPFIND", "/nowhere")
    http.get("/clusters/nobody/nodes/a/b")
    http.head("/clusters/nobody")
    http.get("/healthz/")
    assert samples.requests("/clusters/{id}", "GET", "4xx") == 2
    assert samples.requests("/clusters/{id}", "PATCH", "4xx") == 1
    assert samples.requests("other", "GET", "4xx") == 1
    assert samples.requests("other", "other", "4xx") == 1
    assert samples.requests("/clusters/{id}/nodes/{node_id}", "GET", "4xx") == 1
    assert samples.requests("/clusters/{id}", "HEAD", "4xx") == 1
    assert samples.requests("/healthz", "GET", "2xx") == 1


def test_refusals_before_the_application_are_counted_under_their_route_too(
    server: ServerProcess, samples: Watched
) -> None:
    announced = "Content-Length: 9000000000"
    for method, path in (
        ("PUT", "/clusters/a"),
        ("POST", "/api/filter?x=1"),
        ("PATCH", "/clusters/a/"),
        ("PUT", "/no"),
    ):
        assert exchange(server, head(method, path, announced)).startswith(b"HTTP/1.1 413 ")
    too_long = head("GET", "/clusters/a", "X: " + "x" * 70_000)
    assert exchange(server, too_long).startswith(b"HTTP/1.1 431 ")
    assert samples.requests("/clusters/{id}", "PUT", "4xx") == 1
    assert samples.requests("/api/filter", "POST", "4xx") == 1
    assert samples.requests("/clusters/{id}", "PATCH", "4xx") == 1
    assert samples.requests("other", "PUT", "4xx") == 1
    assert samples.requests("other", "other", "4xx") == 1


def test_bytes_that_are_no_http_are_counted(http: httpx.Client, samples: Watched) -> None:
    with socket.create_connection(("127.0.0.1", http.base_url.port or 0), timeout=20) as connection:
        connection.sendall(b"what is this\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    assert samples.requests("other", "other", "4xx") == 1


def test_no_label_comes_from_a_caller(http: httpx.Client, fresh_id: str) -> None:
    enrol(http, fresh_id)
    for method in ("GET", "PUT", "MKCOL"):
        http.request(method, f"/clusters/{fresh_id}")
        http.request(method, f"/{fresh_id}")
    http.post(f"/clusters/{fresh_id}/heartbeat")
    assert fresh_id not in http.get("/metrics").text
    routes = {dict(labels).get("route") for _, labels in scraped(http)} - {None}
    assert routes <= {*(operation.template for operation in OPERATIONS), "other"}


def test_how_long_requests_took_is_told_in_buckets_that_add_up(http: httpx.Client, samples: Watched) -> None:
    for _ in range(3):
        http.get("/healthz")
    labels = {"route": "/healthz", "method": "GET"}
    name = "rollbook_http_request_duration_seconds"
    assert samples.grown(f"{name}_count", **labels) == 3
    assert samples.grown(f"{name}_bucket", le="+Inf", **labels) == 3
    assert 0 < samples.grown(f"{name}_sum", **labels) < 3 * 10
    growths = [samples.grown(f"{name}_bucket", le=str(bound), **labels) for bound in BOUNDS_SECONDS]
    assert growths == sorted(growths)


def test_how_late_the_event_loop_is_is_looked_at_all_the_time(http: httpx.Client, samples: Watched) -> None:
    time.sleep(0.5)
    assert samples.grown("rollbook_event_loop_lateness_seconds_count") >= 2


def test_the_disk_and_the_memory_are_measured(http: httpx.Client, fresh_id: str) -> None:
    enrol(http, fresh_id)
    told = scraped(http)
    clusters, resident = told[key("rollbook_clusters")], told[key("process_resident_memory_bytes")]
    assert told[key("rollbook_memory_per_cluster_bytes")] == pytest.approx(resident / clusters)
    assert told[key("rollbook_journal_data_bytes")] >= 4096
    assert (told[key("rollbook_journal_log_bytes")] > 0) is not IS_SHARED
    assert (told[key("rollbook_journal_writable")], told[key("rollbook_commands_waiting")]) == (1, 0)


def test_watchers_are_counted_while_they_watch(http: httpx.Client, samples: Watched) -> None:
    with http.stream("GET", "/clusters/watch") as reply:
        assert reply.status_code == 200
        assert samples.grown("rollbook_watchers") == 1
        assert samples.requests("/clusters/watch", "GET", "2xx") == 1
    until(lambda: samples.grown("rollbook_watchers") == 0)
    assert samples.grown("rollbook_watch_overflows_total") == 0


def test_leases_are_counted_by_what_their_beats_say(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        samples = Watched(http)

        def states() -> tuple[float, ...]:
            told = scraped(http)
            return tuple(told[key("rollbook_leases", state=state)] for state in ("alive", "late", "silent", "unknown"))

        for id, seconds in (("short", 1), ("long", 1000), ("never", 0)):
            enrol(http, id)
            if seconds:
                http.post(f"/clusters/{id}/heartbeat", json={"ttlSeconds": seconds})
        assert sum(states()) == 2
        until(lambda: states() == (1, 0, 1, 0))
        until(lambda: samples.grown("rollbook_silences_marked_total") == 1)
        http.post("/clusters/short/heartbeat", json={"ttlSeconds": 1000})
        assert states() == (2, 0, 0, 0)
        assert samples.grown("rollbook_statuses_restored_total") == 1
        assert samples.grown("rollbook_heartbeats_total") == 3
        http.delete("/clusters/short")
        until(lambda: states() == (1, 0, 0, 0))
        server.kill()
        server.start()
        until(lambda: sum(states()) == 1)


def test_a_mass_silence_is_told_and_counted(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        for n in range(10):
            enrol(http, f"c{n}")
            http.post(f"/clusters/c{n}/heartbeat", json={"ttlSeconds": 1})
        assert scraped(http)[key("rollbook_silences_held", cause="mass-silence")] == 0
        until(lambda: scraped(http)[key("rollbook_silences_held", cause="mass-silence")] == 1)
        told = scraped(http)
        assert told[key("rollbook_holds_total", cause="mass-silence")] == 1
        assert told[key("rollbook_leases", state="silent")] == 10


def test_webhooks_are_counted_by_how_they_stand(http: httpx.Client, fresh_id: str, samples: Watched) -> None:
    target = {"url": "https://example.invalid/", "enabled": False}
    assert http.post("/webhooks", json={"id": "away", **target}).status_code == 201
    assert samples.grown("rollbook_webhooks", state="disabled") == 1
    assert (samples.grown("rollbook_webhook_lag_changes"), samples.grown("rollbook_webhook_dead_letters")) == (0, 0)
    retry = {"attempts": 1, "firstSeconds": 0.1}
    http.post("/webhooks", json={"id": "broken", "url": target["url"], "retry": retry})
    enrol(http, fresh_id)
    until(lambda: samples.grown("rollbook_webhook_dead_letters") == 1)
    until(lambda: samples.grown("rollbook_webhook_lag_changes") == 0)
    for id in ("away", "broken"):
        http.delete(f"/webhooks/{id}")
    assert samples.grown("rollbook_webhooks", state="disabled") == 0


def until(holds: Any) -> None:
    """Return as soon as it holds."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
