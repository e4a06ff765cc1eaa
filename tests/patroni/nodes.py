"""A cluster as production runs it: three nodes under Patroni with ``deploy/patroni/patroni.yml``, and etcd.

Every way to a node (PostgreSQL, Patroni's REST API) and the node's own way to etcd lead through proxies, so that a node
can be cut off from everything.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg

from tests.many.proxies import Proxy
from tests.postgresql import needed_binaries, postgresql_directory, unprivileged_user

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "patroni" / "patroni.yml"
PASSWORD = "a-password-of-the-tests"
SECONDS_MAX = 150.0
ACTIVITY: tuple[LiteralString, ...] = (
    "SHOW synchronous_standby_names",
    "SELECT application_name, state, sync_state, sent_lsn, flush_lsn FROM pg_stat_replication",
    "SELECT application_name, pid, pg_blocking_pids(pid), wait_event, left(query, 60), (now() - query_start)::text "
    "FROM pg_stat_activity WHERE state <> 'idle'",
)
"""What a leader is asked when it does not go on."""


class Node:
    """One node: Patroni, and the PostgreSQL that it runs."""

    def __init__(self, directory: Path, name: str, etcd: int) -> None:
        self.name = name
        self.data = directory / name / "data"
        self._directory = directory / name
        postgres, rest = quiet_port(), quiet_port()
        self._ways = [Proxy(port) for port in (postgres, rest, etcd)]
        self.port, self.rest_port, etcd_port = (way.port for way in self._ways)
        self._environment = {
            **os.environ,
            "LC_ALL": "C.UTF-8",
            "PATRONI_NAME": name,
            "PATRONI_RESTAPI_LISTEN": f"127.0.0.1:{rest}",
            "PATRONI_RESTAPI_CONNECT_ADDRESS": f"127.0.0.1:{self.rest_port}",
            "PATRONI_POSTGRESQL_LISTEN": f"127.0.0.1:{postgres}",
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": f"127.0.0.1:{self.port}",
            "PATRONI_POSTGRESQL_DATA_DIR": str(self.data),
            "PATRONI_POSTGRESQL_BIN_DIR": str(needed_binaries()),
            "PATRONI_POSTGRESQL_PGPASS": str(self._directory / "pgpass"),
            "PATRONI_ETCD3_HOSTS": f"'127.0.0.1:{etcd_port}'",
            "PATRONI_ETCD3_USE_PROXIES": "true",  # or it would ask etcd for its own address, and go around the proxy
            "PATRONI_SUPERUSER_USERNAME": "postgres",
            "PATRONI_SUPERUSER_PASSWORD": PASSWORD,
            "PATRONI_REPLICATION_USERNAME": "replicator",
            "PATRONI_REPLICATION_PASSWORD": PASSWORD,
        }
        self._patroni: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The connection string of the database ``postgres``."""
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start Patroni, which starts PostgreSQL."""
        self._directory.mkdir(exist_ok=True)
        user = unprivileged_user()
        if user is not None:
            shutil.chown(self._directory, user)
        with (self._directory / "log").open("ab") as log:
            self._patroni = subprocess.Popen(
                ["patroni", str(CONFIGURATION)], user=user, cwd="/", env=self._environment, stdout=log, stderr=log
            )

    def is_leader(self) -> bool:
        """Whether Patroni says so, as far as it answers."""
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.rest_port}/primary", timeout=1).status_code == 200
        return False

    def members(self) -> list[dict[str, Any]]:
        """All nodes as this one sees them; none when it does not answer."""
        with suppress(httpx.HTTPError):
            found: list[dict[str, Any]] = httpx.get(f"http://127.0.0.1:{self.rest_port}/cluster", timeout=2).json()[
                "members"
            ]
            return found
        return []

    def kill(self) -> None:
        """kill -9 of everything, as when the machine is lost."""
        self._send(signal.SIGKILL)
        assert self._patroni is not None
        self._patroni.wait(30)

    def pause(self) -> None:
        """Stop everything where it stands."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let everything go on."""
        self._send(signal.SIGCONT)

    def cut_off(self) -> None:
        """Let nothing through any more, to it or from it; what is under way arrives when it is joined again."""
        for way in self._ways:
            way.swallows = True

    def join(self) -> None:
        """End the cut."""
        for way in self._ways:
            way.swallows = False

    def close(self) -> None:
        """End everything."""
        if self._patroni is not None and self._patroni.poll() is None:
            self._send(signal.SIGKILL)
            self._patroni.wait(30)
        for way in self._ways:
            way.close()

    def _send(self, number: signal.Signals) -> None:
        assert self._patroni is not None
        pids = [self._patroni.pid]
        with suppress(FileNotFoundError, IndexError):
            pids.append(int((self.data / "postmaster.pid").read_text().split()[0]))
        for pid in [*pids, *(child for parent in pids for child in _children(parent))]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _children(pid: int) -> list[int]:
    with suppress(FileNotFoundError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class PatroniCluster:
    """Three nodes."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes

    @property
    def leader(self) -> Node | None:
        """The node that takes writes, as far as it is known."""
        return next((node for node in self.nodes if node.is_leader()), None)

    def is_whole(self) -> bool:
        """Whether there is a leader, a synchronous standby, and another standby that follows."""
        leader = self.leader
        members = leader.members() if leader is not None else []
        roles = sorted(each["role"] for each in members if each["state"] in ("running", "streaming"))
        lines = {each.get("timeline") for each in members}
        return roles == ["leader", "replica", "sync_standby"] and len(lines) == 1

    def logs(self) -> str:
        """The last lines of what the nodes wrote."""
        texts = [(node.data.parent / "log").read_text(errors="replace")[-4000:] for node in self.nodes]
        return "\n----\n".join([*texts, *self._activity()])

    def _activity(self) -> list[str]:
        leader = self.leader
        if leader is None:
            return ["no leader"]
        with psycopg.connect(f"{leader.url}?connect_timeout=5", autocommit=True) as connection:
            return [str(row) for statement in ACTIVITY for row in connection.execute(statement)]

    def wait_until(self, holds: Callable[[], bool], what: str) -> float:
        """Wait; how many seconds it took."""
        begun = time.monotonic()
        while not holds():
            if time.monotonic() - begun > SECONDS_MAX:
                raise AssertionError(f"{what}\n{self.logs()}")
            time.sleep(0.1)
        return time.monotonic() - begun


def quiet_port() -> int:
    """A port that nothing listens on, and that no outgoing connection is given before it is used."""
    while True:
        with suppress(OSError), socket.create_server(("127.0.0.1", random.randrange(20_000, 30_000))) as probe:
            port: int = probe.getsockname()[1]
            return port


@contextmanager
def patroni_cluster() -> Iterator[PatroniCluster]:
    """A whole cluster of three nodes."""
    with postgresql_directory() as directory, ExitStack() as running:
        user = unprivileged_user()
        if user is not None:
            shutil.chown(directory, user)
        client, peer = quiet_port(), quiet_port()
        command = [
            "etcd", "--name", "etcd", "--data-dir", str(directory / "etcd"), "--unsafe-no-fsync",
            "--listen-client-urls", f"http://127.0.0.1:{client}", "--advertise-client-urls", f"http://127.0.0.1:{client}",
            "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
            "--initial-cluster", f"etcd=http://127.0.0.1:{peer}",
        ]  # fmt: skip
        with (directory / "etcd.log").open("wb") as log:
            etcd = subprocess.Popen(command, user=user, stdout=log, stderr=log, cwd="/")
        running.callback(etcd.wait, 30)
        running.callback(etcd.terminate)
        cluster = PatroniCluster([Node(directory, f"db{number}", client) for number in (1, 2, 3)])
        for node in cluster.nodes:
            running.callback(node.close)
            node.start()
        cluster.wait_until(cluster.is_whole, "the cluster does not form")
        yield cluster
