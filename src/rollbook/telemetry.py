"""Traces for OpenTelemetry, sent by OTLP over HTTP. Needs the extra ``rollbook[otel]``.

Theory: a request's span begins when the request is whole. What it is made of is recorded beside it (``steps``), and
becomes spans when the request ends; so nothing below the edge knows OpenTelemetry. Spans are sent by a thread of the
SDK, which drops what it can't send.

One rule: traces are on where the standard variables name a receiver, and nothing is imported where they are not. What
prevents them is logged: a registry that can't be observed serves all the same.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rollbook import __version__
from rollbook.steps import NO_CARRIER, Fact, Steps

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OtelSpan

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"
STOP_SECONDS = 3.0

logger = logging.getLogger(__name__)


def wants_traces(environment: Mapping[str, str]) -> bool:
    """Whether the standard variables ask for traces: they name a receiver, and do not switch it off."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter not in ("", "otlp"):
        return False
    return exporter == "otlp" or any(environment.get(name, "").strip() for name in ENDPOINTS)


@contextmanager
def telemetry_opened(environment: Mapping[str, str]) -> Iterator["Telemetry | None"]:
    """See ``open_telemetry``; what is left is sent at the end of the block."""
    telemetry = open_telemetry(environment)
    try:
        yield telemetry
    finally:
        if telemetry is not None:
            telemetry.close()


def open_telemetry(environment: Mapping[str, str]) -> "Telemetry | None":
    """What sends traces, as the standard variables ask; None where they do not, or where it can't be done."""
    if not wants_traces(environment):
        return None
    protocol = next((environment[name].strip() for name in PROTOCOLS if environment.get(name, "").strip()), PROTOCOL)
    if protocol != PROTOCOL:
        logger.warning("no traces are sent: the protocol of OTLP must be %s, not %r", PROTOCOL, protocol)
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as missing:
        logger.warning("no traces are sent: %s; install the extra: pip install 'rollbook[otel]'", missing)
        return None
    named = Resource.create({SERVICE_VERSION: __version__})
    if str(named.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        named = named.merge(Resource({SERVICE_NAME: "rollbook"}))
    provider = TracerProvider(resource=named, shutdown_on_exit=False)
    exporter = OTLPSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    logger.info("traces are sent to %s", exporter._endpoint)
    return Telemetry(provider)


class Telemetry:
    """Begins spans, and sends them."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("rollbook", __version__)
        self._propagator = TraceContextTextMapPropagator()
        self._kinds = SpanKind

    def receive(self, name: str, carrier: Mapping[str, str]) -> "TelemetrySpan | None":
        """The span of a request, below the one that its headers stand for; None: the trace is not sampled."""
        span = self._tracer.start_span(name, self._propagator.extract(carrier), self._kinds.SERVER)
        return self._span(span) if span.is_recording() else None

    def follow(self, name: str, carrier: Mapping[str, str], **facts: Fact) -> "TelemetrySpan":
        """See ``steps.Tracer``."""
        span = self._tracer.start_span(
            name, self._propagator.extract(carrier), self._kinds.CLIENT, in_attributes(facts)
        )
        return self._span(span)

    def close(self) -> None:
        """Send what is left, for STOP_SECONDS at most."""
        sending = threading.Thread(target=self._provider.shutdown, name="rollbook-telemetry", daemon=True)
        sending.start()
        sending.join(STOP_SECONDS)

    def _span(self, span: "OtelSpan") -> "TelemetrySpan":
        from opentelemetry.trace import set_span_in_context

        context = set_span_in_context(span)
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, context)
        return TelemetrySpan(self._tracer, span, context, carrier)


class TelemetrySpan:
    """A span under way."""

    def __init__(self, tracer: Any, span: "OtelSpan", context: "Context", carrier: Mapping[str, str]) -> None:
        self._tracer = tracer
        self._span = span
        self._context = context
        self.carrier = carrier or NO_CARRIER

    def end_request(self, name: str, status: int, steps: Steps, facts: Mapping[str, Fact]) -> None:
        """End the span of a request, under the name of what it asked for, with its steps below it."""
        contexts: dict[str, Context] = {}
        for step in sorted(steps.taken, key=lambda each: (each.within is not None, each.begun_ns)):
            context = contexts.get(step.within or "", self._context)
            below = self._tracer.start_span(
                step.name, context, attributes=in_attributes(step.facts), start_time=step.begun_ns
            )
            contexts[step.name] = self._below(below)
            below.end(step.ended_ns)
        self._span.update_name(name)
        self._span.set_attributes({**facts, "http.response.status_code": status} if status else facts)
        if steps.more:
            self._span.set_attribute("rollbook.steps_left_out", steps.more)
        self._fail(None if 0 < status < 500 else f"answered {status}" if status else "the client went away")
        self._span.end()

    def end(self, problem: str | None = None, **facts: Fact) -> None:
        """See ``steps.Span``."""
        self._span.set_attributes(in_attributes(facts))
        self._fail(problem)
        self._span.end()

    def _below(self, span: "OtelSpan") -> "Context":
        from opentelemetry.trace import set_span_in_context

        return set_span_in_context(span)

    def _fail(self, problem: str | None) -> None:
        from opentelemetry.trace import Status, StatusCode

        if problem is not None:
            self._span.set_status(Status(StatusCode.ERROR, problem))


def in_attributes(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Facts under the names that they have as attributes: ours have a prefix."""
    return {f"rollbook.{name}": fact for name, fact in facts.items()}
