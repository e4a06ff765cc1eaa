"""What a server says of what it is doing now: the running requests, and the stacks that a signal prints."""

import re
import signal
import time
from collections.abc import Callable

import httpx

from tests.serving import ServerProcess

SECONDS_MAX = 20


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_running_requests_are_listed_the_longest_first(http: httpx.Client) -> None:
    headers = {"x-request-id": "watcher-1"}
    with http.stream("GET", "/clusters/watch", params={"filter": '{"status":"live"}'}, headers=headers) as watch:
        chunks = watch.iter_raw()  # held: when it is gone, so is the connection
        next(chunks)
        first, last = http.get("/debug/requests").json()
    assert {name: first[name] for name in ("id", "operation", "method", "caller", "address")} == {
        "id": "watcher-1",
        "operation": "watchClusters",
        "method": "GET",
        "caller": "anonymous@127.0.0.1",
        "address": "127.0.0.1",
    }
    assert first["path"].startswith("/clusters/watch?filter=")
    assert first["milliseconds"] > last["milliseconds"] > 0
    assert first["since"] < last["since"]
    assert (last["operation"], last["path"]) == ("listRunningRequests", "/debug/requests")
    wait_for(lambda: len(http.get("/debug/requests").json()) == 1)


def test_the_list_is_not_stored_and_has_no_tokens(http: httpx.Client) -> None:
    reply = http.get("/debug/requests")
    assert reply.headers["cache-control"] == "no-store"
    assert len(reply.json()) == 1


def test_a_signal_prints_threads_tasks_and_requests_and_the_server_goes_on(
    server: ServerProcess, http: httpx.Client
) -> None:
    assert server.process is not None
    with http.stream("GET", "/clusters/watch", headers={"x-request-id": "w"}) as watch:
        chunks = watch.iter_raw()  # held: when it is gone, so is the connection
        next(chunks)
        for _ in range(2):
            before = len(server.log.read_text())
            server.process.send_signal(signal.SIGUSR1)
            wait_for(lambda: "requests:\n" in server.log.read_text()[before:])  # noqa: B023
            printed = server.log.read_text()[before:]
            assert "most recent call first" in printed
            assert re.search(r"  rollbook-committer\n(    .*\n)*    Committer._run \(", printed)
            assert "1 requests:\n  GET /clusters/watch anonymous@127.0.0.1 " in printed
        assert http.get("/readyz").status_code == 200
