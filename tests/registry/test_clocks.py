"""A clock that jumped ahead is doubted: nothing is deleted by age, nothing is dated in the future."""

import logging
from pathlib import Path

import httpx
import pytest

from rollbook.assembly import open_registry
from rollbook.clusters.liveness import ClockReading
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.registry.feed.clocks import DAY_MS, TrustedClock, known_time_in
from rollbook.registry.history.moments import AtTime
from rollbook.security.callers import Caller
from rollbook.settings import Settings
from tests.examples import cluster
from tests.registry.writing import create
from tests.serving import ServerProcess

NOW_MS = 1_800_000_000_000
AHEAD_MS = 400 * DAY_MS


class Clocks:
    """The clocks of a machine."""

    def __init__(self, unix_ms: int = NOW_MS) -> None:
        self.seconds = 1_000.0
        self.unix_ms = unix_ms

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds
        self.unix_ms += round(seconds * 1000)

    def __call__(self) -> ClockReading:
        return ClockReading(self.seconds, self.unix_ms)


def clock_of(clocks: Clocks, *, known_ms: int = NOW_MS, is_trusted: bool = False) -> TrustedClock:
    return TrustedClock(clocks, known_ms=known_ms, is_trusted=is_trusted)


@pytest.mark.parametrize(("stopped_days", "is_doubted"), [(0, False), (7, False), (7.1, True), (400, True)])
def test_a_start_long_after_what_was_known_is_doubted(stopped_days: float, is_doubted: bool) -> None:
    clocks = Clocks(NOW_MS + round(stopped_days * DAY_MS))
    clock = clock_of(clocks)
    assert (clock.problem is not None) is is_doubted
    assert clock.now_ms() == (NOW_MS if is_doubted else clocks.unix_ms)


def test_in_doubt_time_goes_on_from_what_was_known() -> None:
    clocks = Clocks(NOW_MS + AHEAD_MS)
    clock = clock_of(clocks)
    clocks.pass_by(10)
    assert clock.now_ms() == NOW_MS + 10_000
    assert clock.ahead_ms == AHEAD_MS


def test_a_doubt_ends_when_the_clock_is_right(caplog: pytest.LogCaptureFixture) -> None:
    clocks = Clocks(NOW_MS + AHEAD_MS)
    clock = clock_of(clocks)
    assert "400.0 days ahead" in caplog.text
    clocks.unix_ms = NOW_MS + 5_000
    assert clock.now_ms() == NOW_MS + 5_000
    assert clock.problem is None
    assert "not doubted any more" in caplog.text


def test_a_doubt_ends_after_a_day() -> None:
    clocks = Clocks(NOW_MS + AHEAD_MS)
    clock = clock_of(clocks)
    clocks.pass_by(24 * 60 * 60 - 1)
    assert clock.now_ms() < NOW_MS + DAY_MS
    clocks.pass_by(1)
    assert clock.now_ms() == clocks.unix_ms
    assert clock.problem is None


def test_an_operator_may_trust_the_clock() -> None:
    clocks = Clocks(NOW_MS + AHEAD_MS)
    assert clock_of(clocks, is_trusted=True).now_ms() == NOW_MS + AHEAD_MS


def test_without_anything_known_the_clock_is_right() -> None:
    assert clock_of(Clocks(), known_ms=0).now_ms() == NOW_MS


@pytest.mark.parametrize(("days", "is_doubted"), [(1, False), (1.1, True)])
def test_a_jump_while_it_runs_is_doubted(days: float, is_doubted: bool) -> None:
    clocks = Clocks()
    clock = clock_of(clocks)
    clocks.pass_by(60)
    clock.now_ms()
    clocks.unix_ms += round(days * DAY_MS)
    clock.now_ms()
    assert (clock.problem is not None) is is_doubted


def test_a_clock_that_goes_back_is_no_reason_to_doubt() -> None:
    clocks = Clocks()
    clock = clock_of(clocks)
    clocks.unix_ms -= AHEAD_MS
    assert clock.now_ms() == NOW_MS - AHEAD_MS
    clocks.unix_ms += AHEAD_MS
    assert clock.now_ms() == NOW_MS


async def test_one_start_with_the_clock_ahead_costs_no_history_and_dates_nothing_in_the_future(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    settings, clocks = Settings(data=tmp_path, history_days=30), Clocks()
    async with open_registry(settings, read_clocks=clocks) as registry:
        for id in ("a", "b"):
            await create(registry, id)
    clocks.pass_by(60)

    clocks.unix_ms += AHEAD_MS
    async with open_registry(settings, read_clocks=clocks) as registry:
        await create(registry, "c")
        assert registry.clock.problem is not None
        await registry.compactor.compact()
        assert registry.compactor.mark == 0
        clocks.pass_by(10)
        entry = await registry.history.version(Caller.FULL, "c", AtTime(registry.clock.now_ms()))
        assert entry.updated_at_ms < NOW_MS + DAY_MS
    assert known_time_in(tmp_path) < NOW_MS + DAY_MS

    clocks.unix_ms -= AHEAD_MS
    clocks.pass_by(60)
    async with open_registry(settings, read_clocks=clocks) as registry:
        assert registry.clock.problem is None
        await create(registry, "d")
        entry = registry.view.entry("d")
        assert entry is not None
        assert entry.updated_at_ms == clocks.unix_ms


async def test_now_is_the_newest_state_though_its_changes_are_dated_ahead(tmp_path: Path) -> None:
    # As a version that trusted every clock left it.
    clocks = Clocks(NOW_MS + AHEAD_MS)
    async with open_registry(Settings(data=tmp_path), read_clocks=clocks) as registry:
        await create(registry, "a")
    clocks.unix_ms = NOW_MS
    async with open_registry(Settings(data=tmp_path), read_clocks=clocks) as registry:
        await create(registry, "b")
        for at_ms in (NOW_MS, NOW_MS - 1_000):
            assert (await registry.history.version(Caller.FULL, "b", AtTime(at_ms))).id == "b"
            assert len((await registry.history.fleet(Caller.FULL, AtTime(at_ms))).entries) == 2


def test_readiness_and_metrics_say_that_the_clock_is_doubted_until_it_is_trusted(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        assert httpx.post(f"{server.url}/clusters", json=cluster("west")).status_code == 201
        assert httpx.get(f"{server.url}/readyz").json()["clock"] == {"trusted": True}
    journal = SqliteJournal.open(tmp_path / "data")
    known_ms = journal.newest_ms() - AHEAD_MS  # the clock went 400 days ahead since, as far as anybody knows
    journal.close()
    (tmp_path / "data" / "clock").write_text(f"{known_ms}\n")
    for path in ("rollbook.sqlite3", "index.snapshot", "leases.sqlite3", "webhooks.sqlite3"):
        (tmp_path / "data" / path).unlink(missing_ok=True)
    with ServerProcess(tmp_path / "data") as server:
        clock = httpx.get(f"{server.url}/readyz").json()["clock"]
        assert clock["trusted"] is False
        assert "ROLLBOOK_CLOCK=trust" in clock["trouble"]
        metrics = httpx.get(f"{server.url}/metrics").text
        assert "rollbook_clock_doubted 1.0" in metrics
    assert "THE CLOCK IS DOUBTED" in server.log.read_text()
    with ServerProcess(tmp_path / "data", environment={"ROLLBOOK_CLOCK": "trust"}) as server:
        assert httpx.get(f"{server.url}/readyz").json()["clock"] == {"trusted": True}
