"""``make contract``: Schemathesis asks a running server everything that ``/openapi.json`` describes, and much that it
does not, and compares every answer with the description.

One rule: it ends within two minutes, whatever it finds. ``ROLLBOOK_CONTRACT_SEED`` chooses other requests.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.serving import ServerProcess

SECONDS_MAX = 90
ADMIN = "admin-" + "x" * 40
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "use_after_free",
    "ensure_resource_availability",
)
STREAMS = ("/clusters/watch", "/clusters/bulk", "/audit")
"""Answers that have no end (of ``/audit`` with ``follow``), and a body of lines, which Schemathesis does not make."""

EMPTIES = "deleteDeadLetters"
"""Leaves an empty list at its address, which ``use_after_free`` takes for a resource that was not deleted."""


def main() -> int:
    """Run it; the exit code of Schemathesis."""
    with tempfile.TemporaryDirectory() as directory:
        secret = Path(directory) / "admin"
        secret.write_text(ADMIN)
        environment = {"ROLLBOOK_ADMIN_TOKEN_FILE": str(secret)}  # or its own tokens would close the registry to it
        with ServerProcess(Path(directory) / "data", environment=environment) as server:
            return ask_everything(server, directory)


def ask_everything(server: ServerProcess, directory: str) -> int:
    """Run Schemathesis against a server; its exit code."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json"]
    command += ["--checks", ",".join(CHECKS), "--mode", "all", "--max-examples", "8"]
    command += [part for path in STREAMS for part in ("--exclude-path", path)]
    command += ["--exclude-operation-id", EMPTIES]
    command += ["--header", f"Authorization: Bearer {ADMIN}"]
    command += ["--max-time", str(SECONDS_MAX), "--request-timeout", "20", "--warnings", "off"]
    command += ["--generation-database", "none", "--seed", os.environ.get("ROLLBOOK_CONTRACT_SEED", "1")]
    return subprocess.run(command, cwd=directory, timeout=SECONDS_MAX + 60, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
