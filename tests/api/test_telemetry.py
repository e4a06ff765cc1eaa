"""Traces of a real server, sent to a real receiver of OTLP; and its log of slow requests."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from rollbook.telemetry import open_telemetry, wants_traces
from tests.examples import cluster
from tests.serving import ServerProcess

SECONDS_MAX = 20
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
INCREMENT = b'{"op": "update", "id": "west", "update": {"$inc": {"reputation": 1}}}\n'
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-{CALLER}-01", f"00-{'1' * 32}-{CALLER}-00"


class Sent(NamedTuple):
    """A span as it was received; ids are hexadecimal, ``parent`` is empty where there is none."""

    trace: str
    id: str
    parent: str
    name: str
    kind: int
    times: tuple[int, int]
    facts: dict[str, Any]
    failed: bool


class Receiver:
    """What stands beside the server: a receiver of OTLP over HTTP, and the target of a webhook."""

    def __init__(self) -> None:
        self.spans: list[Sent] = []
        self.resources: list[dict[str, Any]] = []
        self.deliveries: list[dict[str, str]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.path == "/hook":
                    receiver.deliveries.append({name.lower(): value for name, value in self.headers.items()})
                else:
                    receiver.take(self.path, body, self.headers.get("content-encoding"))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path: str, body: bytes, encoding: str | None) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        assert (path, encoding) == ("/v1/traces", None)
        sent = ExportTraceServiceRequest.FromString(body)
        for resource in sent.resource_spans:
            self.resources.append(values_of(resource.resource.attributes))
            for scope in resource.scope_spans:
                for span in scope.spans:
                    ids = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
                    times = span.start_time_unix_nano, span.end_time_unix_nano
                    facts = values_of(span.attributes)
                    self.spans.append(Sent(*ids, span.name, span.kind, times, facts, span.status.code == 2))

    def trace(self, id: str, *, names: set[str]) -> dict[str, Sent]:
        """The spans of a trace by their names, as soon as these are there."""
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            found = {span.name: span for span in self.spans if span.trace == id}
            if names <= found.keys():
                return found
            assert time.monotonic() < deadline, found.keys()
            time.sleep(0.02)


def values_of(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture(scope="module")
def server(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that sends traces at once, and logs every request as slow that takes a millisecond."""
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=tests",
        "ROLLBOOK_WEBHOOKS_PRIVATE": "allow",
        "ROLLBOOK_LOG_FORMAT": "json",
        "ROLLBOOK_SLOW_MS": "1",
    }
    with ServerProcess(tmp_path_factory.mktemp("traced") / "data", environment=environment) as running:
        yield running


def test_the_trace_of_a_put_is_whole_from_its_caller_to_the_target_of_a_webhook(
    receiver: Receiver, http: httpx.Client
) -> None:
    http.post("/clusters", json=cluster("west"), headers={"traceparent": NOT_SAMPLED})
    hook = {"id": "hook", "url": f"{receiver.url}/hook"}
    assert http.post("/webhooks", json=hook, headers={"traceparent": NOT_SAMPLED}).status_code == 201
    headers = {"traceparent": SAMPLED, "tracestate": "vendor=1", "x-request-id": "put-1", "user-agent": "controller/1"}
    assert http.put("/clusters/west", json={"status": "busy"}, headers=headers).status_code == 200

    steps = {"parse", "queue", "decide", "append", "sync", "publish"}
    spans = receiver.trace(TRACE, names={"PUT /clusters/{id}", *steps, "webhook"})
    request = spans["PUT /clusters/{id}"]
    assert spans.keys() == {"PUT /clusters/{id}", *steps, "webhook"}
    assert (request.parent, request.kind, request.failed) == (CALLER, 2, False)
    parents = {name: span.parent for name, span in spans.items() if span is not request}
    assert parents == dict.fromkeys((*steps, "webhook"), request.id) | {"sync": spans["append"].id}
    for name in steps - {"sync"}:
        assert request.times[0] <= spans[name].times[0] <= spans[name].times[1] <= request.times[1]
    begins = [spans[name].times[0] for name in ("parse", "queue", "decide", "append", "sync", "publish")]
    assert begins == sorted(begins)
    assert request.facts | {"client.address": "127.0.0.1"} == {
        "http.request.method": "PUT",
        "http.route": "/clusters/{id}",
        "http.response.status_code": 200,
        "url.path": "/clusters/west",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "client.address": "127.0.0.1",
        "user_agent.original": "controller/1",
        "rollbook.operation": "updateCluster",
        "rollbook.caller": "anonymous@127.0.0.1",
        "rollbook.request_id": "put-1",
    }
    assert spans["append"].facts == {"rollbook.commands": 1}
    assert (spans["webhook"].kind, spans["webhook"].failed) == (3, False)
    assert spans["webhook"].facts == {"rollbook.webhook": "hook", "rollbook.revision": 2}
    (delivery,) = receiver.deliveries
    assert delivery["traceparent"] == f"00-{TRACE}-{spans['webhook'].id}-01"
    assert delivery["tracestate"] == "vendor=1"


def test_a_trace_goes_through_two_processes(receiver: Receiver, http: httpx.Client, tmp_path: Path) -> None:
    """A message of a webhook is a filter, too, that matches nothing: so another registry can be its target."""
    trace = "5" * 32
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_SERVICE_NAME": "other",
    }
    with ServerProcess(tmp_path / "other", environment=environment) as other:
        hook = {"id": "other", "url": f"{other.url}/clusters/query"}
        http.post("/webhooks", json=hook, headers={"traceparent": NOT_SAMPLED}).raise_for_status()
        headers = {"traceparent": f"00-{trace}-{CALLER}-01"}
        assert http.put("/clusters/west", json={"reputation": 7}, headers=headers).status_code == 200
        spans = receiver.trace(trace, names={"PUT /clusters/{id}", "POST /clusters/query", "parse", "sync", "webhook"})
        http.delete("/webhooks/other", headers={"traceparent": NOT_SAMPLED}).raise_for_status()

    request = spans["PUT /clusters/{id}"]
    query = spans["POST /clusters/query"]
    delivery = next(span for span in receiver.spans if span.id == query.parent)
    assert (delivery.name, delivery.facts["rollbook.webhook"], delivery.failed) == ("webhook", "other", False)
    assert (delivery.parent, request.parent) == (request.id, CALLER)
    assert request.times[0] <= delivery.times[0] <= query.times[0] <= query.times[1]
    assert {"rollbook", "other"} <= {resource["service.name"] for resource in receiver.resources}
    whole = {span.id for span in receiver.spans if span.trace == trace} | {CALLER}
    assert {span.parent for span in receiver.spans if span.trace == trace} <= whole


def test_the_trace_of_a_query_has_its_plan(receiver: Receiver, http: httpx.Client) -> None:
    trace = "2" * 32
    query = {"query": {"status": "busy", "name": {"$regex": "i"}}, "sort": {"id": 1}}
    headers = {"traceparent": f"00-{trace}-{CALLER}-01"}
    assert http.post("/clusters/query", json=query, headers=headers).status_code == 200

    plan = receiver.trace(trace, names={"POST /clusters/query", "parse", "plan"})["plan"]
    assert plan.facts["rollbook.filter"] == 'status $eq "busy" and name $regex "i"'
    assert plan.facts["rollbook.plan"] == "all 1 documents are looked at: the indexes do not narrow this filter"
    assert plan.facts["rollbook.exact"] is False


def test_the_trace_of_an_atomic_batch_has_the_steps_of_a_write_and_reaches_its_webhooks(
    receiver: Receiver, http: httpx.Client
) -> None:
    trace = "3" * 32
    headers = {"traceparent": f"00-{trace}-{CALLER}-01", "content-type": "application/x-ndjson"}
    answered = http.post("/clusters/bulk", params={"atomic": "true"}, content=INCREMENT * 2, headers=headers)
    assert answered.status_code == 200, answered.text

    spans = receiver.trace(trace, names={"queue", "decide", "append", "sync", "publish", "webhook"})
    assert len([span for span in receiver.spans if (span.trace, span.name) == (trace, "decide")]) == 1
    assert spans["sync"].parent == spans["append"].id


def test_a_request_with_many_writes_has_a_bounded_number_of_steps(receiver: Receiver, http: httpx.Client) -> None:
    trace = "4" * 32
    headers = {"traceparent": f"00-{trace}-{CALLER}-01", "content-type": "application/x-ndjson"}
    assert http.post("/clusters/bulk", content=INCREMENT * 200, headers=headers).status_code == 200

    request = receiver.trace(trace, names={"POST /clusters/bulk"})["POST /clusters/bulk"]
    of_it = [span for span in receiver.spans if span.trace == trace and span.parent == request.id]
    assert len([span for span in of_it if span.name != "webhook"]) <= 100
    assert request.facts["rollbook.steps_left_out"] > 100


def test_a_request_without_a_trace_begins_one_and_one_that_is_not_sampled_has_none(
    receiver: Receiver, http: httpx.Client
) -> None:
    before = len(receiver.spans)
    http.get("/clusters/west", headers={"traceparent": NOT_SAMPLED})
    http.get("/clusters/nobody", headers={"user-agent": "without"})
    deadline = time.monotonic() + SECONDS_MAX
    while not any(span.facts.get("user_agent.original") == "without" for span in receiver.spans[before:]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    span = next(span for span in receiver.spans[before:] if span.facts.get("user_agent.original") == "without")
    assert (span.parent, span.name, span.facts["http.response.status_code"]) == ("", "GET /clusters/{id}", 404)
    assert not any(span.trace == "1" * 32 for span in receiver.spans)
    resource = receiver.resources[-1]
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("rollbook", "tests")


@pytest.mark.parametrize("path", ["/clusters/west", "/clusters/nobody"])
def test_a_sampled_request_is_answered_with_the_same_bytes(http: httpx.Client, path: str) -> None:
    replies = [http.get(path, headers={"traceparent": each, "x-request-id": "a"}) for each in (SAMPLED, NOT_SAMPLED)]
    assert replies[0].content == replies[1].content
    assert {**replies[0].headers, "date": ""} == {**replies[1].headers, "date": ""}


def test_slow_requests_are_logged_with_their_steps_and_plan(server: ServerProcess, http: httpx.Client) -> None:
    query = {"query": {"$expr": {"$eq": ["$status", "busy"]}}, "sort": {"id": 1}}
    http.post("/clusters/query", json=query, headers={"x-request-id": "slow-query", "traceparent": SAMPLED})
    http.put(
        "/clusters/west", json={"status": "live"}, headers={"x-request-id": "slow-put", "traceparent": NOT_SAMPLED}
    )
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
        slow = {line.get("requestId"): line for line in lines if line["logger"] == "rollbook.slow"}
        if {"slow-query", "slow-put"} <= slow.keys() or time.monotonic() > deadline:
            break
        headers = {"x-request-id": "slow-put", "traceparent": NOT_SAMPLED}
        http.put("/clusters/west", json={"tags": [str(time.time())]}, headers=headers)
    message = slow["slow-query"]["message"]
    assert message.startswith("slow: POST /clusters/query 200 ")
    assert "; filter: $expr; plan: all 1 documents are looked at: the indexes do not narrow this filter" in message
    assert slow["slow-query"]["traceId"] == TRACE
    assert "append " in slow["slow-put"]["message"]


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_the_standard_variables_say_whether_there_are_traces(environment: dict[str, str], wanted: bool) -> None:
    assert wants_traces(environment) is wanted


def test_another_protocol_is_no_reason_to_fail(caplog: pytest.LogCaptureFixture) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert open_telemetry(environment) is None
    assert caplog.messages == ["no traces are sent: the protocol of OTLP must be http/protobuf, not 'grpc'"]


def test_a_receiver_that_is_not_there_holds_up_neither_requests_nor_the_stop(tmp_path: Path) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    with ServerProcess(tmp_path / "data", environment=environment) as server:
        assert httpx.get(f"{server.url}/version").status_code == 200
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < SECONDS_MAX
