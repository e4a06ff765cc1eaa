"""Measures what follows when the keeper or the primary is lost, and writes benchmarks/results/many-failures.md.

A primary with a synchronous standby, and three processes that write a cluster in turns. The keeper is killed and
paused; at last the primary is killed and the standby promoted at once.

    python -m benchmarks.many_failures [ROUNDS]
"""

import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from tempfile import TemporaryDirectory

import httpx

from benchmarks.machine import description_with_load
from tests.examples import cluster
from tests.many_processes import Fleet, fleet_of
from tests.postgresql import WITH_STANDBY, PostgresqlServer, postgresql_directory
from tests.webhooks.receiving import target

RESULTS = Path(__file__).parent / "results" / "many-failures.md"
COMMAND = "Written by `python -m benchmarks.many_failures"
ADMIN = "an-admin-token-of-thirty-two-letters"
SECONDS_MAX = 60.0


def seconds_until(holds: Callable[[], bool], begun: float) -> float:
    """How long it took, from ``begun`` on."""
    while True:
        with suppress(httpx.TransportError):
            if holds():
                return time.monotonic() - begun
        if time.monotonic() - begun > SECONDS_MAX:
            raise TimeoutError("it did not come")
        time.sleep(0.02)


def keeper_lost(fleet: Fleet, *, killed: bool) -> float:
    """From the loss of the keeper until another process is it."""
    seconds_until(lambda: fleet.keeper >= 0, time.monotonic())
    place = fleet.keeper
    others = [client for number, client in enumerate(fleet.clients) if number != place]
    server = fleet.processes[place]
    write(others[0])
    begun = time.monotonic()
    if killed:
        server.kill()
    else:
        assert server.process is not None
        server.process.send_signal(SIGSTOP)
    write(others[0])  # the former keeper may not have delivered it
    seconds = seconds_until(lambda: any(other.get("/readyz").json()["keeper"] for other in others), begun)
    write(others[0])
    if killed:
        server.start()
    else:
        assert server.process is not None
        server.process.send_signal(SIGCONT)
        seconds_until(lambda: not fleet.clients[place].get("/readyz").json()["keeper"], begun)
    return seconds


def write(client: httpx.Client) -> None:
    """A change for the webhook to deliver."""
    client.put("/clusters/west", json={"$inc": {"turn": 1}}).raise_for_status()


def revoked(fleet: Fleet) -> float:
    """From the answer of a revocation until no process takes the token any more."""
    made = fleet.clients[0].post("/tokens", json={"name": "measured", "roles": ["reader"]}).raise_for_status().json()
    headers = {"authorization": f"Bearer {made['token']}"}

    def statuses() -> set[int]:
        return {client.get("/clusters/west", headers=headers).status_code for client in fleet.clients}

    seconds_until(lambda: statuses() == {200}, time.monotonic())
    fleet.clients[0].delete(f"/tokens/{made['id']}").raise_for_status()
    begun = time.monotonic()
    return seconds_until(lambda: 200 not in statuses(), begun)  # 401, or 429 after many of them


def failed_over(fleet: Fleet, primary: PostgresqlServer, standby: PostgresqlServer) -> float:
    """From the crash of the primary, whose standby is promoted at once, until a write is acknowledged."""
    begun = time.monotonic()
    primary.stop("immediate")
    standby.promote()
    change = {"$inc": {"turn": 1}}
    return seconds_until(lambda: fleet.clients[0].put("/clusters/west", json=change).status_code == 200, begun)


def measured(rounds: int, directory: Path, caches: Path) -> dict[str, str]:
    """All figures, by name."""
    (caches / "admin").write_text(ADMIN)
    primary = PostgresqlServer(directory / "one").create().start()
    standby = primary.standby(directory / "other").start()
    primary.stop()
    primary.settings = WITH_STANDBY
    primary.start()
    journal = f"postgresql://postgres@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/postgres"
    environment = {"ROLLBOOK_ADMIN_TOKEN_FILE": str(caches / "admin"), "ROLLBOOK_WEBHOOKS_PRIVATE": "127.0.0.0/8"}
    try:
        with target() as receiver, fleet_of(3, journal, caches, **environment) as fleet:
            for client in fleet.clients:
                client.headers["authorization"] = f"Bearer {ADMIN}"
            fleet.clients[0].post("/clusters", json=cluster("west", turn=0)).raise_for_status()
            fleet.clients[0].post("/webhooks", json={"url": receiver.url}).raise_for_status()
            revocations = sorted(revoked(fleet) for _ in range(2 * rounds))
            killed = [keeper_lost(fleet, killed=True) for _ in range(rounds)]
            paused = [keeper_lost(fleet, killed=False) for _ in range(rounds)]
            failover = failed_over(fleet, primary, standby)
            newest = int(fleet.clients[0].get("/clusters/west").headers["etag"].strip('"'))
            seconds_until(lambda: any(each.revision == newest for each in receiver.received), time.monotonic())
            times = Counter(each.revision for each in receiver.received)
    finally:
        for engine in (primary, standby):
            with suppress(AssertionError):
                engine.stop("immediate")
    return {
        f"a token is revoked in all three processes: median of {len(revocations)}": seconds_of(revocations),
        "the slowest of them (goal: 1 s)": f"{revocations[-1]:.2f} s",
        f"keeper killed, another one is it: median of {rounds} (goal: 1 s)": seconds_of(killed),
        f"keeper paused, another one is it: median of {rounds} (goal: 5 s)": seconds_of(paused),
        "primary killed, standby promoted at once: first acknowledged write (goal: 1 s)": f"{failover:.2f} s",
        "revisions that the webhook was sent, of all": f"{len(times)} of {newest - 1}",
        f"deliveries that were repeated, in {2 * rounds + 1} take-overs": str(sum(times.values()) - len(times)),
    }


def seconds_of(values: list[float]) -> str:
    """Their median."""
    return f"{statistics.median(values):.2f} s"


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    begun = description_with_load()
    with postgresql_directory() as directory, TemporaryDirectory() as caches:
        figures = measured(rounds, directory, Path(caches))
    lines = [
        "# When the keeper or the primary is lost",
        "",
        f"{COMMAND} {rounds}` on: {begun}.",
        "",
        "| | |",
        "|---|---|",
    ]
    lines += [*(f"| {name} | {value} |" for name, value in figures.items()), ""]
    RESULTS.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
