"""A cluster's controller on one machine: the machine joins as a node, beats, reports changes, and leaves.

    python examples/controller.py http://localhost:3000 my-cluster

What the machine has is read from ``/proc``, the file system, and ``nvidia-smi`` where there is one. The cluster is
created when it does not exist. SIGTERM or Ctrl-C ends it: the node leaves, and no heartbeat follows.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from rollbook.client import Client
from rollbook.errors import ClusterExists, ClusterNotFound, NodeNotFound, RegistryError

MB = 1024 * 1024
EVERY_SECONDS = 10.0
LOOK_SECONDS = 30.0


def node_of_this_machine(id: str) -> dict[str, Any]:
    """The node that this machine is."""
    memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    interfaces = (
        [each for each in os.listdir("/sys/class/net") if each != "lo"] if os.path.isdir("/sys/class/net") else []
    )
    speed = sum(map(speed_of, interfaces))
    gpus = gpus_of_this_machine()
    return {
        "id": id,
        "gpus": {
            "count": len(gpus),
            "memory": sum(each["memory"] for each in gpus),
            "gpus": gpus,
            "modelNames": sorted({each["modelName"] for each in gpus}),
        },
        "vcpus": {"count": os.cpu_count() or 1},
        "memory": int(memory["MemTotal"].split()[0]) // 1024,
        "swap": int(memory["SwapTotal"].split()[0]) // 1024,
        "storage": {"disks": disks(), "size": shutil.disk_usage("/").total // MB},
        "network": {"interfaces": len(interfaces), "txBandwidth": speed, "rxBandwidth": speed},
    }


def gpus_of_this_machine() -> list[dict[str, Any]]:
    """The GPUs that nvidia-smi knows; none where there is no nvidia-smi."""
    command = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.rsplit(",", 1) for line in listed.splitlines() if line.strip()]
    return [{"modelName": name.strip(), "memory": int(float(memory))} for name, memory in rows]


def speed_of(interface: str) -> int:
    """The bandwidth of an interface in MBps; 0 where it is not known."""
    try:
        return max(0, int(Path("/sys/class/net", interface, "speed").read_text())) // 8
    except (OSError, ValueError):
        return 0


def disks() -> int:
    """The number of disks: of block devices that are no loop, RAM disk or part of another."""
    try:
        return len([each for each in os.listdir("/sys/block") if not each.startswith(("loop", "ram", "zram"))])
    except OSError:
        return 0


def see_to_cluster(client: Client, id: str) -> None:
    """Create the cluster, unless it exists."""
    cluster = {
        "id": id,
        "status": "live",
        "nodes": {"nodeData": []},
        "config": {"publicHostname": socket.gethostname()},
        "clusterMetadata": {"name": id, "description": "made by its controller", "owner": "controller"},
    }
    try:
        client.clusters.read(id, fields=["id"])
    except ClusterNotFound:
        with suppress(ClusterExists):  # another controller of this cluster was faster
            client.clusters.create(cluster, reason="its controller starts")


def control(client: Client, cluster: str, node_id: str, stop: threading.Event) -> None:
    """Join, beat and report until ``stop``; then leave."""
    see_to_cluster(client, cluster)
    known = node_of_this_machine(node_id)
    client.nodes.join(cluster, known, reason="the machine starts")
    print(f"{node_id} joined {cluster}", flush=True)
    try:
        with client.heartbeater(cluster, every=EVERY_SECONDS, nodes=[node_id]) as heartbeats:
            while not stop.wait(LOOK_SECONDS):
                if heartbeats.error is not None:
                    print(f"no heartbeat arrives: {heartbeats.error}", file=sys.stderr)
                now = node_of_this_machine(node_id)
                if now != known:
                    client.nodes.join(cluster, now, reason="the machine has changed")
                    known = now
    finally:
        with suppress(NodeNotFound, ClusterNotFound):  # it was removed while it ran
            client.nodes.leave(cluster, node_id, reason="the machine stops")
            print(f"{node_id} left {cluster}", flush=True)


def main() -> int:
    """Control until a signal."""
    parser = argparse.ArgumentParser(description="Be the controller of a cluster on this machine.")
    parser.add_argument("url")
    parser.add_argument("cluster")
    parser.add_argument("--node", default=socket.gethostname(), help="the id of the node [default: the host's name]")
    given = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        with Client(given.url, token=os.environ.get("ROLLBOOK_TOKEN")) as client:
            control(client, given.cluster, given.node, stop)
    except RegistryError as error:
        print(f"{error} [{error.code}]", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
