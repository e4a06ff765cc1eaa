"""The image's steps on a bare Debian: ``make image-check``, as root, with debootstrap. It takes some minutes.

Without a container engine the steps of the Containerfile are carried out in a chroot: the build stage is the script
that it runs, and what it makes is copied into a second root, where the server runs as the image's user.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.serving import free_port

ROOT = Path(__file__).parents[2]
CONTAINERFILE = ROOT / "deploy" / "container" / "Containerfile"
SUITE = "bookworm"
USER = 10001
START_SECONDS_MAX = 60


def main() -> None:
    """Build, run, ask, stop; the exit code says whether it worked."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as place:
        build, final = Path(place, "build"), Path(place, "final")
        run("debootstrap", "--variant=minbase", SUITE, str(build))
        shutil.copytree(build, final, symlinks=True, ignore=lambda folder, _: special(Path(folder), build))
        for root in (build, final):
            lend_network_settings(root)
        copy_checkout(build / "src")
        in_root(build, "sh /src/deploy/container/install /src /opt/rollbook")
        shutil.copytree(build / "opt" / "rollbook", final / "opt" / "rollbook", symlinks=True)
        in_root(final, final_stage())
        serve_and_ask(final)
    print("image: 1 passed, 0 failed")


def final_stage() -> str:
    """The command of the last ``RUN`` of the Containerfile."""
    *_, last = re.findall(r"^RUN (.*?)$(?<!\\)", CONTAINERFILE.read_text().replace("\\\n", " "), re.MULTILINE)
    return str(last)


def special(folder: Path, root: Path) -> set[str]:
    """What is not copied: devices and mounted file systems."""
    return {"dev", "proc", "sys"} if folder == root else set()


def lend_network_settings(root: Path) -> None:
    """Let apt and pip in the root reach what they reach here."""
    for name in ("etc/resolv.conf", "etc/hosts", "etc/apt/sources.list", "etc/pip.conf"):
        if Path("/", name).is_file():
            shutil.copy(Path("/", name), root / name)
    for folder in ("etc/apt/apt.conf.d", "etc/apt/sources.list.d", "etc/ssl/certs", "usr/local/share/ca-certificates"):
        if Path("/", folder).is_dir():
            shutil.copytree(Path("/", folder), root / folder, dirs_exist_ok=True)
    (root / "dev").mkdir(exist_ok=True)
    for device, numbers in {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9)}.items():
        if not (root / "dev" / device).exists():
            os.mknod(root / "dev" / device, 0o666 | 0o020000, os.makedev(*numbers))
            os.chmod(root / "dev" / device, 0o666)
    for folder in ("proc", "sys"):
        (root / folder).mkdir(exist_ok=True)


def copy_checkout(target: Path) -> None:
    """What the build context holds."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, files):
        if name.startswith(("src/", "deploy/container/")) or name in (
            "pyproject.toml",
            "requirements-image.txt",
            "README.md",
            "LICENSE",
        ):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def serve_and_ask(root: Path) -> None:
    """Run the server as the image does, and see that it answers, asks for a token, and stops."""
    port = free_port()
    token = root / "admin-token"
    token.write_text("t" * 40)
    token.chmod(0o444)
    environment = {
        "PATH": "/opt/rollbook/bin:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ROLLBOOK_HOST": "0.0.0.0",
        "ROLLBOOK_DATA": "/var/lib/rollbook",
        "ROLLBOOK_LOG_FORMAT": "json",
        "ROLLBOOK_ADMIN_TOKEN_FILE": "/admin-token",
        "PORT": str(port),
    }
    command = [str(shutil.which("chroot")), f"--userspec={USER}:{USER}", str(root), "rollbook", "serve"]
    server = subprocess.Popen(command, env=environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            wait_for(client, server)
            assert client.post("/clusters/count", json={}).status_code == 401
            counted = client.post("/clusters/count", json={}, headers={"Authorization": f"Bearer {'t' * 40}"})
            assert counted.json() == {"count": 0}
    finally:
        server.terminate()
        assert server.wait(30) == 0


def wait_for(client: httpx.Client, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if client.get("/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the server in the image did not start")


def in_root(root: Path, command: str) -> None:
    run("chroot", str(root), "sh", "-euc", command)


def run(*command: str) -> None:
    print("+", " ".join(command), file=sys.stderr)
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
