"""TLS: a certificate that is renewed while it is used, and the certificates of clients."""

import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.examples import cluster
from tests.serving import ServerProcess, free_port

ADMIN = "admin-" + "x" * 40
BEARER = {"authorization": f"Bearer {ADMIN}"}


def signed(directory: Path, name: str, san: str, authority: str | None = None) -> Path:
    """A certificate NAME.pem with its key NAME.key, which AUTHORITY.pem has signed, or which signs itself."""
    key, certificate = directory / f"{name}.key", directory / f"{name}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", f"/CN={name}", "-days", "2", "-keyout", str(key), "-out", str(certificate)]
    if authority is not None:
        command += ["-CA", str(directory / f"{authority}.pem"), "-CAkey", str(directory / f"{authority}.key")]
        command += ["-addext", f"subjectAltName={san}", "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(command, check=True, capture_output=True)
    return certificate


class SecureServer(ServerProcess):
    """A server over TLS, whose certificate is ``server.pem`` of a directory."""

    def __init__(self, directory: Path, **environment: str) -> None:
        self.directory = directory
        (directory / "admin").write_text(ADMIN)
        settings = {
            "ROLLBOOK_TLS_CERT": str(directory / "server.pem"),
            "ROLLBOOK_TLS_KEY": str(directory / "server.key"),
            "ROLLBOOK_TLS_CLIENT_CA": str(directory / "clients.pem"),
            "ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin"),
        }
        super().__init__(directory / "data", environment={**settings, **environment})
        self.url = f"https://localhost:{self.port}"

    def start(self) -> "SecureServer":
        """As for any server, by HTTPS."""
        command = [sys.executable, "-m", "rollbook", "serve", "--port", str(self.port), "--data", str(self.data)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        wait_until(lambda: "listening on https://" in self.log.read_text())
        return self

    def context(self, client: str | None = None, authority: str = "authority") -> ssl.SSLContext:
        """What a client believes, and shows."""
        context = ssl.create_default_context(cafile=str(self.directory / f"{authority}.pem"))
        if client is not None:
            context.load_cert_chain(self.directory / f"{client}.pem", self.directory / f"{client}.key")
        return context


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority with a certificate of localhost, another that has signed one too, and one of clients."""
    directory = tmp_path_factory.mktemp("tls")
    for authority in ("authority", "other", "clients"):
        signed(directory, authority, "")
    signed(directory, "server", "DNS:localhost", "authority")
    signed(directory, "renewed", "DNS:localhost", "other")
    signed(directory, "west", "DNS:west.example,URI:spiffe://example/west", "clients")
    signed(directory, "stranger", "DNS:stranger.example", "clients")
    signed(directory, "forged", "DNS:west.example", "other")
    return directory


@pytest.fixture(scope="module")
def server(files: Path) -> Iterator[SecureServer]:
    with SecureServer(files) as running:
        assert isinstance(running, SecureServer)
        httpx.post(running.url + "/clusters", json=cluster("west"), headers=BEARER, verify=running.context())
        yield running


def test_the_registry_is_served_over_tls_alone(server: SecureServer) -> None:
    assert httpx.get(server.url + "/clusters/west", headers=BEARER, verify=server.context()).status_code == 200
    with pytest.raises(httpx.TransportError):
        httpx.get(server.url.replace("https:", "http:") + "/healthz")
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url + "/healthz", verify=server.context(authority="other"))


def test_a_session_over_tls_has_a_cookie_that_only_tls_carries(server: SecureServer) -> None:
    with httpx.Client(base_url=server.url, verify=server.context()) as client:
        cookie = client.post("/session", headers=BEARER).headers["set-cookie"]
        assert cookie.startswith("__Host-rollbook=")
        assert client.get("/clusters/west").status_code == 200


def test_a_client_is_known_by_its_certificate(server: SecureServer) -> None:
    asked = {"name": "west", "roles": ["controller"], "clusters": ["west"], "certificates": ["west.example"]}
    token = httpx.post(server.url + "/tokens", json=asked, headers=BEARER, verify=server.context()).json()
    with httpx.Client(base_url=server.url, verify=server.context("west")) as client:
        access = client.get("/access").json()
        assert (access["caller"], access["kind"]) == ("certificate:west.example@127.0.0.1", "certificate")
        assert client.post("/clusters/west/heartbeat").status_code == 200
        assert client.get("/access", headers=BEARER).json()["roles"] == ["admin"]
        with client.stream("GET", "/clusters/watch") as watch:
            again = httpx.post(
                server.url + "/tokens", json={**asked, "name": "b"}, headers=BEARER, verify=server.context()
            )
            assert again.json()["code"] == "token-exists"
            httpx.delete(f"{server.url}/tokens/{token['id']}", headers=BEARER, verify=server.context())
            assert "event: revoked\n" in "".join(watch.iter_text())
        assert client.get("/clusters/west").status_code == 401


@pytest.mark.parametrize("client", ["stranger", None])
def test_a_client_whose_certificate_stands_for_no_token_is_anonymous(server: SecureServer, client: str | None) -> None:
    access = httpx.get(server.url + "/access", verify=server.context(client)).json()
    assert (access["kind"], access["roles"]) == ("anonymous", [])


def test_a_certificate_of_another_authority_is_refused_in_the_handshake(server: SecureServer) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(server.url + "/access", verify=server.context("forged"))


@pytest.mark.parametrize("by_signal", [True, False])
def test_a_certificate_is_renewed_under_load_without_a_failed_request(
    files: Path, tmp_path: Path, by_signal: bool
) -> None:
    for name in ("server.pem", "server.key", "clients.pem", "authority.pem", "other.pem"):
        (tmp_path / name).write_bytes((files / name).read_bytes())
    with SecureServer(tmp_path) as server:
        assert isinstance(server, SecureServer)
        both = server.context()
        both.load_verify_locations(files / "other.pem")
        statuses: list[int] = []
        is_over = threading.Event()

        def load() -> None:
            with httpx.Client(base_url=server.url, verify=both, timeout=20) as open_one:
                while not is_over.is_set():
                    statuses.append(open_one.get("/access").status_code)
                    statuses.append(httpx.get(server.url + "/access", verify=both, timeout=20).status_code)

        loading = threading.Thread(target=load)
        loading.start()
        try:
            replace(tmp_path / "server.pem", b"no certificate")
            wake(server, by_signal)
            wait_until(lambda: "can't be used, and the one before it stays" in server.log.read_text())
            assert is_served_by(server, "authority")
            replace(tmp_path / "server.key", (files / "renewed.key").read_bytes())
            replace(tmp_path / "server.pem", (files / "renewed.pem").read_bytes())
            wake(server, by_signal)
            wait_until(lambda: is_served_by(server, "other"))
        finally:
            is_over.set()
            loading.join()
        assert set(statuses) == {200}


def replace(path: Path, content: bytes) -> None:
    path.with_suffix(".new").write_bytes(content)
    path.with_suffix(".new").rename(path)


def wake(server: SecureServer, by_signal: bool) -> None:
    assert server.process is not None
    if by_signal:
        server.process.send_signal(signal.SIGHUP)


def is_served_by(server: SecureServer, authority: str) -> bool:
    try:
        return httpx.get(server.url + "/healthz", verify=server.context(authority=authority)).status_code == 200
    except httpx.ConnectError:
        return False


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ROLLBOOK_TLS_KEY": ""}, "TLS needs both a certificate and its key"),
        ({"ROLLBOOK_TLS_CERT": "", "ROLLBOOK_TLS_KEY": ""}, "ROLLBOOK_TLS_CLIENT_CA needs TLS"),
        ({"ROLLBOOK_TLS_KEY": "nowhere"}, "ROLLBOOK_TLS_KEY must be none, or the name of a file"),
        ({"ROLLBOOK_TLS_KEY": "renewed.key"}, "key values mismatch"),
        ({"ROLLBOOK_TLS_CERT": "server.key"}, "the TLS certificate can't be used"),
        ({"ROLLBOOK_TLS_CLIENT_CA": "server.key"}, "the TLS certificate can't be used"),
    ],
)
def test_files_that_are_no_certificate_are_refused_at_the_start(
    files: Path, tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    server = SecureServer(files, **changed)
    command = [sys.executable, "-m", "rollbook", "serve", "--port", str(free_port()), "--data", str(tmp_path / "d")]
    done = subprocess.run(command, cwd=files, env=server.environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr
