"""Three processes behind a faulty network, a primary and its standby: mixed load, faults, and at last a failover.

``ROLLBOOK_MANY_SECONDS`` says for how long; ``make test-many`` takes five minutes.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from rollbook.journal.postgresql.journal import PostgresqlJournal
from tests.examples import cluster
from tests.many.checking import problems_in
from tests.many.loading import CLUSTERS, Load, Place, everything
from tests.postgresql import WITH_STANDBY, PostgresqlServer, postgresql_directory

SECONDS = float(os.environ.get("ROLLBOOK_MANY_SECONDS", "20"))
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


def test_nothing_acknowledged_is_lost_and_nothing_is_done_twice(
    engines: list[PostgresqlServer], tmp_path: Path
) -> None:
    primary, standby = engines
    chance = random.Random(14)
    with ExitStack() as undo:
        places = [Place(tmp_path / f"cache{number}", [each.port for each in engines]) for number in range(3)]
        for place in places:
            undo.callback(place.close)
            place.server.start()
        for id in CLUSTERS:
            httpx.post(f"{places[0].server.url}/clusters", json=cluster(id, names=[]), timeout=20).raise_for_status()
        load = Load(places)
        undo.callback(load.stop)
        until = time.monotonic() + SECONDS
        faults = []
        while time.monotonic() < until:
            begun = time.monotonic()
            faults.append(do_harm(chance, places, primary))
            time.sleep(max(0.0, begun + FAULT_SECONDS - time.monotonic()))
        primary.stop("immediate")
        standby.promote()
        time.sleep(FAULT_SECONDS)
        load.stop()
        exports = [everything(place) for place in places]
        done = sum(write.outcome == "done" for write in load.writes)
        print(f"{done} of {len(load.writes)} writes done, {len(load.reads)} reads; {faults}, failover")
        assert done > SECONDS
        assert problems_in(load.writes, load.reads, exports[0]) == []
        assert exports[0] == exports[1] == exports[2]
    journal = PostgresqlJournal.open(standby.url)
    assert journal.inspection.problems() == []
    journal.close()
