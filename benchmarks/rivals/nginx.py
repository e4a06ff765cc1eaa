"""nginx serving the same bytes, a file a cluster: what a read costs when there is nothing to decide.

Tuned as it would be for this: no log, sendfile, and open files kept open.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rivals.interface import Rival, Tools
from benchmarks.serving.materials import Materials
from benchmarks.serving.processes import Command

CONFIGURATION = """
worker_processes 1;
worker_rlimit_nofile 1000000;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=250000 inactive=1h;
    open_file_cache_valid 1h;
    default_type application/json;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        root {folder};
    }}
}}
"""


def load(materials: Materials, folder: Path, tools: Tools) -> None:
    """Write a file a cluster."""
    clusters = folder / "clusters"
    clusters.mkdir()
    with materials.file.open("rb") as lines:
        for id, line in zip(materials.ids, lines, strict=True):
            (clusters / id).write_bytes(line.rstrip(b"\n"))


def commands(folder: Path, port: int, tools: Tools) -> Sequence[Command]:
    """The master, which starts the one worker."""
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port))
    return [Command(["nginx", "-p", str(folder), "-c", str(configuration), "-e", str(folder / "error.log")])]


def version(tools: Tools) -> str:
    """As nginx says it."""
    said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"nginx/(\S+)", said)
    return f"nginx {found[1]}" if found else "nginx"


NGINX = Rival(
    name="nginx",
    title="nginx, a file a cluster",
    missing=lambda tools: None if shutil.which("nginx") else "nginx (Debian: nginx-light)",
    load=load,
    commands=commands,
    version=version,
    workloads=frozenset({"get"}),
)
