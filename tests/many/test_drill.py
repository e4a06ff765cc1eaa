"""Three processes behind a faulty network, a primary and its standby: mixed load, faults, and at last a failover.

Besides, a cluster sends heartbeats to whichever process answers, and is never said to be silent; and a webhook is sent
every revision, repeatedly only where another process became the keeper.

``ROLLBOOK_MANY_SECONDS`` says for how long; ``make test-many`` takes five minutes.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import cycle, pairwise
from pathlib import Path

import httpx
import pytest

from rollbook.journal.postgresql.journal import PostgresqlJournal
from tests.examples import cluster
from tests.many.checking import problems_in
from tests.many.loading import CLUSTERS, Load, Place, everything
from tests.postgresql import WITH_STANDBY, PostgresqlServer, postgresql_directory
from tests.webhooks.receiving import target

SECONDS = float(os.environ.get("ROLLBOOK_MANY_SECONDS", "20"))
BEATING, TTL_SECONDS = "beating", 4
FAULT_SECONDS = 8.0 if SECONDS >= 60 else 3.0


@pytest.fixture
def engines() -> Iterator[list[PostgresqlServer]]:
    with postgresql_directory() as directory:
        primary = PostgresqlServer(directory / "one").create().start()
        standby = primary.standby(directory / "other").start()
        primary.stop()
        primary.settings = WITH_STANDBY
        primary.start()
        yield [primary, standby]
        for engine in (primary, standby):
            with suppress(AssertionError):
                engine.stop("immediate")


def do_harm(chance: random.Random, places: list[Place], primary: PostgresqlServer) -> str:
    """One fault, and its end; what it was."""
    place = chance.choice(places)
    fault = chance.choice(["kill", "pause", "cut", "half-close", "swallow", "slow", "crash"])
    assert place.server.process is not None
    if fault == "kill":
        place.server.kill()
        place.server.start()
    elif fault == "pause":
        place.server.process.send_signal(signal.SIGSTOP)
        time.sleep(FAULT_SECONDS * 0.75)
        place.server.process.send_signal(signal.SIGCONT)
    elif fault == "crash":
        primary.stop("immediate")
        primary.start()
    elif fault in ("cut", "half-close"):
        for proxy in place.proxies:
            proxy.cut() if fault == "cut" else proxy.half_close()
    else:
        for proxy in place.proxies:
            proxy.swallows, proxy.delay_seconds = fault == "swallow", 0.2
        time.sleep(FAULT_SECONDS / 2)
        for proxy in place.proxies:
            proxy.swallows, proxy.delay_seconds = False, 0.0
    return fault


class Heart:
    """A cluster that sends heartbeats, to one process after the other."""

    def __init__(self, places: list[Place]) -> None:
        self._urls = [place.server.url for place in places]
        self._stopping = threading.Event()
        httpx.post(f"{self._urls[0]}/clusters", json=cluster(BEATING), timeout=20).raise_for_status()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """Stop sending."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        for url in cycle(self._urls):
            with suppress(httpx.TransportError):
                httpx.post(f"{url}/clusters/{BEATING}/heartbeat", json={"ttlSeconds": TTL_SECONDS}, timeout=0.5)
            if self._stopping.wait(0.2):
                return


def check_deliveries(delivered: Callable[[], list[int]], newest: int, *, take_overs_max: int) -> str:
    """Every revision was delivered, and only a take-over goes back to what was delivered before; how it was."""
    until = time.monotonic() + 60
    while missing := set(range(1, newest + 1)) - set(delivered()):
        assert time.monotonic() < until, f"not delivered: {sorted(missing)[:20]}"
        time.sleep(0.2)
    revisions = delivered()
    back = sum(this <= before for before, this in pairwise(revisions))
    assert back <= take_overs_max
    return f"{newest} revisions were delivered by {len(revisions)} requests, which went back {back} times"


def test_nothing_acknowledged_is_lost_and_nothing_is_done_twice(
    engines: list[PostgresqlServer], tmp_path: Path
) -> None:
    primary, standby = engines
    chance = random.Random(14)
    with ExitStack() as undo:
        receiver = undo.enter_context(target())
        ports, local = [each.port for each in engines], {"ROLLBOOK_WEBHOOKS_PRIVATE": "127.0.0.0/8"}
        places = [Place(tmp_path / f"cache{number}", ports, **local) for number in range(3)]
        for place in places:
            undo.callback(place.close)
            place.server.start()
        first = places[0].server.url
        httpx.post(f"{first}/webhooks", json={"url": receiver.url}, timeout=20).raise_for_status()
        for id in CLUSTERS:
            httpx.post(f"{first}/clusters", json=cluster(id, names=[]), timeout=20).raise_for_status()
        heart, load = Heart(places), Load(places)
        undo.callback(load.stop)
        undo.callback(heart.stop)
        faults = harmed(chance, places, primary)
        primary.stop("immediate")
        standby.promote()
        time.sleep(FAULT_SECONDS)
        load.stop()
        exports = [everything(place) for place in places]
        heart.stop()
        asked = httpx.get(f"{first}/clusters/{BEATING}/history?consistency=strong", timeout=20)
        newest = int(asked.headers["X-Registry-Revision"])
        delivered = check_deliveries(
            lambda: [each.revision for each in list(receiver.received)], newest, take_overs_max=2 * len(faults) + 2
        )
        done = sum(write.outcome == "done" for write in load.writes)
        print(f"{done} of {len(load.writes)} writes done, {len(load.reads)} reads; {faults}, failover; {delivered}")
        assert done > SECONDS
        assert problems_in(load.writes, load.reads, exports[0]) == []
        assert exports[0] == exports[1] == exports[2]
        assert "unreachable" not in asked.text
    journal = PostgresqlJournal.open(standby.url)
    assert journal.inspection.problems() == []
    journal.close()


def harmed(chance: random.Random, places: list[Place], primary: PostgresqlServer) -> list[str]:
    """Do harm, again and again; what it was each time."""
    until = time.monotonic() + SECONDS
    faults = []
    while time.monotonic() < until:
        begun = time.monotonic()
        faults.append(do_harm(chance, places, primary))
        time.sleep(max(0.0, begun + FAULT_SECONDS - time.monotonic()))
    return faults
