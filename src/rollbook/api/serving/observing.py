"""Observing requests: their traces, and the log of the slow ones.

One rule: without either there is no observer, and the hot path does not know that there could be one. A request whose
trace is sampled is answered by the application, which answers the same bytes as the shortcuts and has more to say.
"""

import logging
from asyncio import Future
from collections.abc import Mapping
from contextvars import Token
from time import perf_counter
from typing import Protocol

from rollbook.api.metrics.request_counts import ROUTE, RequestCounts
from rollbook.api.metrics.running_requests import RunningRequest
from rollbook.api.serving.logs import request_id
from rollbook.api.serving.requests import IncomingRequest
from rollbook.api.serving.shortcuts import Shortcuts
from rollbook.registry.registry import Registry
from rollbook.registry.writing.committing import WriteResult
from rollbook.security.tokens import without_tokens
from rollbook.steps import NO_CARRIER, STEPS, Fact, RequestSpan, Step, Steps

TRACE_HEADERS = (b"traceparent", b"tracestate")

slow = logging.getLogger("rollbook.slow")


class Receiver(Protocol):
    """Begins the spans of requests."""

    def receive(self, name: str, carrier: Mapping[str, str]) -> RequestSpan | None:
        """The span of a request whose headers are ``carrier``; None: its trace is not sampled."""
        ...


class Observer:
    """Observes the requests of a server. ``slow_seconds``: from when on a request is logged; None: none is."""

    def __init__(self, receiver: Receiver | None, slow_seconds: float | None) -> None:
        self._receiver = receiver
        self._slow_seconds = slow_seconds

    def is_traced(self, request: IncomingRequest) -> bool:
        """Whether the trace of a request is sampled. It is decided once, and begins its span."""
        if not request.is_observed and self._receiver is not None:
            known = request.known
            carrier = {name.decode(): known[name].decode("latin-1") for name in TRACE_HEADERS if name in known}
            request.is_observed = True
            request.span = self._receiver.receive(request.method.decode(), carrier)
        return request.span is not None

    def begin(self, request: IncomingRequest) -> "Token[Steps | None]":
        """Record the steps of a request from now on, in this context."""
        self.is_traced(request)
        request.steps = Steps(NO_CARRIER if request.span is None else request.span.carrier)
        return STEPS.set(request.steps)

    def end(self, running: RunningRequest, status: int) -> None:
        """Note how a request ended: end its span, and log it if it was slow."""
        request = running.request
        steps = request.steps or Steps()
        if request.span is not None:
            request.span.end_request(name_of(running), status, steps, facts_of(running))
        seconds = (running.answered or perf_counter()) - running.begun
        if self._slow_seconds is not None and seconds >= self._slow_seconds:
            log_slow(running, status, seconds, steps)


class ObservedShortcuts(Shortcuts):
    """Shortcuts that are observed: sampled requests are left to the application, slow answers are logged."""

    def __init__(self, registry: Registry, traffic: RequestCounts, observer: Observer) -> None:
        super().__init__(registry, traffic)
        self._observer = observer

    def answer(self, request: IncomingRequest, default: bytes) -> bytes | None:
        """See ``Shortcuts.answer``."""
        if self._observer.is_traced(request):
            return None
        running = RunningRequest(request, perf_counter(), request.id)
        answer = super().answer(request, default)
        if answer is not None:
            self._observer.end(running, 200)
        return answer

    def begin_update(self, request: IncomingRequest) -> "Future[WriteResult] | None":
        """See ``Shortcuts.begin_update``."""
        if self._observer.is_traced(request):
            return None
        token = self._observer.begin(request)
        try:
            return super().begin_update(request)
        finally:
            STEPS.reset(token)


def name_of(running: RunningRequest) -> str:
    """What a request is called in its trace: its method, and its route without names."""
    route = None if running.scope is None else running.scope.get(ROUTE)
    return f"{running.request.method.decode()} {route}" if route else running.request.method.decode()


def facts_of(running: RunningRequest) -> dict[str, Fact]:
    """What the trace of a request says about it, under the names that OpenTelemetry has for it."""
    request, scope = running.request, running.scope or {}
    facts: dict[str, Fact | None] = {
        "http.request.method": request.method.decode(),
        "http.route": scope.get(ROUTE),
        "url.path": request.path.decode("latin-1"),
        "url.scheme": request.scheme,
        "network.protocol.version": request.version,
        "client.address": request.client,
        "user_agent.original": request.known.get(b"user-agent", b"").decode("latin-1") or None,
        "rollbook.operation": running.operation,
        "rollbook.caller": request.caller.name,
        "rollbook.request_id": running.id or None,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def log_slow(running: RunningRequest, status: int, seconds: float, steps: Steps) -> None:
    """Log a slow request: what it was, whose, how long each step took, and how a query was answered."""
    token = request_id.set(running.id)
    request = running.request
    asked = f"{request.method.decode()} {without_tokens(request.url.decode('latin-1'))}"
    took = ", ".join(f"{each.name} {each.milliseconds:.1f} ms" for each in steps.taken) or "no steps recorded"
    took += f", and {steps.more} more steps" if steps.more else ""
    plans = "".join(map(words_of_plan, steps.taken))
    slow.warning("slow: %s %d %.1f ms %s: %s%s", asked, status, seconds * 1000, request.caller.name, took, plans)
    request_id.reset(token)


def words_of_plan(step: Step) -> str:
    """What the log says of a plan; nothing, of any other step."""
    return f"; filter: {step.facts['filter']}; plan: {step.facts['plan']}" if step.name == "plan" else ""
