"""Several server processes that share one registry, for tests."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.serving import ServerProcess


class Fleet:
    """Processes of one registry, with a client for each."""

    def __init__(self, processes: list[ServerProcess], clients: list[httpx.Client]) -> None:
        self.processes = processes
        self.clients = clients

    @property
    def keeper(self) -> int:
        """Which of them is the keeper; -1 while none is."""
        for place, client in enumerate(self.clients):
            process = self.processes[place].process
            if process is not None and process.poll() is None and client.get("/readyz").json()["keeper"]:
                return place
        return -1


@contextmanager
def fleet_of(count: int, journal: str, directory: Path, **environment: str) -> Iterator[Fleet]:
    """That many processes on a journal, each with a cache of its own."""
    with ExitStack() as running:
        processes = [
            running.enter_context(
                ServerProcess(directory / f"cache{place}", environment={"ROLLBOOK_JOURNAL": journal, **environment})
            )
            for place in range(count)
        ]
        clients = [running.enter_context(httpx.Client(base_url=each.url, timeout=20)) for each in processes]
        yield Fleet(processes, clients)
