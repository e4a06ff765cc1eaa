"""Webhooks over HTTPS: whose certificates are believed, and that a file which can't be read stops nothing else."""

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.examples import cluster
from tests.serving import ServerProcess
from tests.webhooks.conftest import LOOPBACK_ALLOWED, QUICK
from tests.webhooks.receiving import Target, target
from tests.webhooks.test_delivering import wait_until


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key, in one PEM file."""
    path = tmp_path_factory.mktemp("certificate") / "target.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=target", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*command, "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[Target]:
    """A target that speaks HTTPS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with target() as opened:
        opened._server.socket = context.wrap_socket(opened._server.socket, server_side=True)
        opened.url = opened.url.replace("http:", "https:")
        yield opened


def register(url: str, at: str, id: str) -> dict[str, Any]:
    """A webhook at a server, quick to try again."""
    reply = httpx.post(f"{at}/webhooks", json={"id": id, "url": url, "retry": {**QUICK, "attempts": 100}})
    assert (reply.status_code, "secret" in reply.json()) == (201, True), reply.text
    body: dict[str, Any] = reply.json()
    return body


@pytest.mark.parametrize("content", [b"garbage", None])
def test_a_registry_whose_authorities_cannot_be_read_works_and_starts_and_says_so(
    tmp_path: Path, secure: Target, content: bytes | None
) -> None:
    authorities = tmp_path / "authorities.pem"
    if content is not None:
        authorities.write_bytes(content)
    environment = {**LOOPBACK_ALLOWED, "SSL_CERT_FILE": str(authorities)}
    server = ServerProcess(tmp_path / "data", environment=environment)
    with target() as plain:
        for _ in range(2):
            with server:
                if not plain.received:
                    register(secure.url, server.url, "secure")
                    register(plain.url, server.url, "plain")
                seen = len(plain.received)
                assert httpx.post(f"{server.url}/clusters", json=cluster(f"c-{seen}")).status_code == 201
                plain.wait_for(seen + 1)

                def last_error(server: ServerProcess = server) -> Any:
                    return httpx.get(f"{server.url}/webhooks/secure").json()["status"]["lastError"]

                wait_until(lambda: last_error() is not None)
                assert "certificates of authorities can't be loaded" in last_error()["problem"]
    assert "Traceback" not in server.log.read_text()
    assert secure.received == []


def test_webhooks_have_authorities_of_their_own(tmp_path: Path, secure: Target, certificate: Path) -> None:
    environment = {**LOOPBACK_ALLOWED, "ROLLBOOK_WEBHOOKS_CA": f"{certificate}.crt"}
    with ServerProcess(tmp_path / "data", environment=environment) as server:
        register(secure.url, server.url, "secure")
        httpx.post(f"{server.url}/clusters", json=cluster("west"))
        assert secure.wait_for(1)[0].event["id"] == "west"


def test_a_target_that_no_authority_vouches_for_is_sent_nothing(tmp_path: Path, secure: Target) -> None:
    with ServerProcess(tmp_path / "data", environment=LOOPBACK_ALLOWED) as server:
        register(secure.url, server.url, "secure")
        httpx.post(f"{server.url}/clusters", json=cluster("west"))
        wait_until(lambda: httpx.get(f"{server.url}/webhooks/secure").json()["status"]["lastError"])
    assert secure.received == []


@pytest.mark.parametrize("content", [b"garbage", b"", None])
def test_authorities_of_webhooks_that_cannot_be_read_are_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    authorities = tmp_path / "authorities.pem"
    if content is not None:
        authorities.write_bytes(content)
    server = ServerProcess(tmp_path / "data", environment={"ROLLBOOK_WEBHOOKS_CA": str(authorities)})
    with pytest.raises(AssertionError, match="did not start"):
        server.start()
    said = server.log.read_text()
    assert "ROLLBOOK_WEBHOOKS_CA" in said
    assert "Traceback" not in said
    assert not (tmp_path / "data").exists()
