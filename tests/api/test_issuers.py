"""Tokens of other issuers: an issuer with keys of its own that change, and one that is asked as Kubernetes is."""

import base64
import json
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.api.test_security_file import ADMIN, BEARER, until
from tests.api.test_tls import signed
from tests.examples import cluster
from tests.issuing import TestIssuer
from tests.serving import ServerProcess
from tests.webhooks.receiving import target

FILE = """
[[issuers]]
name = "corp"
issuer = "{corp}"
audience = "rollbook"
[[issuers.bindings]]
filter = {{ groups = "fleet-admins" }}
roles = ["operator"]
[[issuers.bindings]]
filter = {{ groups = "relays" }}
roles = ["relay"]
[[issuers.bindings]]
filter = {{ "corp_team" = {{ "$exists" = true }} }}
roles = ["owner"]
owner = "corp_team"

[[issuers]]
name = "kubernetes"
issuer = "https://kubernetes.default.svc.cluster.local"
audience = "rollbook"
jwks_uri = "{kubernetes}/jwks"
ca_file = "{directory}/authority.pem"
token_file = "{directory}/pod-token"
[[issuers.bindings]]
filter = {{ sub = "system:serviceaccount:fleet:west-controller" }}
roles = ["controller"]
clusters = "kubernetes_io.cluster"

[roles.relay]
rules = [{{ verbs = ["read", "watch", "webhooks"], hide = ["$secrets"] }}]
"""


@pytest.fixture(scope="module")
def corp() -> Iterator[TestIssuer]:
    with TestIssuer() as running:
        yield running


@pytest.fixture(scope="module")
def kubernetes(directory: Path) -> Iterator[TestIssuer]:
    signed(directory, "authority", "")
    signed(directory, "server", "DNS:localhost", "authority")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem", directory / "server.key")
    (directory / "pod-token").write_text("of-the-pod\n")
    with TestIssuer(context=context, bearer="of-the-pod") as running:
        yield running


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("issuers")


@pytest.fixture(scope="module")
def server(directory: Path, corp: TestIssuer, kubernetes: TestIssuer) -> Iterator[ServerProcess]:
    (directory / "admin").write_text(ADMIN)
    (directory / "security.toml").write_text(FILE.format(corp=corp.url, kubernetes=kubernetes.url, directory=directory))
    environment = {
        "ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin"),
        "ROLLBOOK_SECURITY_FILE": str(directory / "security.toml"),
        "ROLLBOOK_TRUSTED_PROXIES": "127.0.0.0/8",
        "ROLLBOOK_WEBHOOKS_PRIVATE": "127.0.0.0/8",
    }
    with ServerProcess(directory / "data", environment=environment) as running:
        for id in ("west", "east"):
            httpx.post(running.url + "/clusters", json=cluster(id), headers=BEARER).raise_for_status()
        yield running


def access(server: ServerProcess, token: str, **headers: str) -> httpx.Response:
    return httpx.get(server.url + "/access", headers={"authorization": f"Bearer {token}", **headers})


def test_claims_become_roles_and_facts(server: ServerProcess, corp: TestIssuer) -> None:
    token = corp.token("ann", groups=["staff", "fleet-admins"], **{"corp.team": "ml"})
    seen = access(server, token).json()
    assert (seen["caller"], seen["kind"]) == ("jwt:corp/ann@127.0.0.1", "jwt")
    assert (seen["roles"], seen["bindings"]) == (["operator", "owner"], {"owner": "ml"})
    assert seen["expiresAt"] is not None
    nobody = access(server, corp.token("bob")).json()
    assert (nobody["roles"], nobody["verbs"]) == ([], ["metrics"])


def test_the_history_names_the_issuer_and_the_subject(server: ServerProcess, corp: TestIssuer) -> None:
    bearer = {"authorization": f"Bearer {corp.token('ann', groups='fleet-admins')}"}
    assert httpx.put(f"{server.url}/clusters/east", json={"status": "draining"}, headers=bearer).status_code == 200
    assert httpx.get(f"{server.url}/clusters/east/history", headers=bearer).json()[0]["actor"] == (
        "jwt:corp/ann@127.0.0.1"
    )


def test_a_token_works_as_the_password_of_basic_and_for_a_session(server: ServerProcess, corp: TestIssuer) -> None:
    token = corp.token("ann", groups="fleet-admins")
    basic = base64.b64encode(f"any:{token}".encode()).decode()
    assert httpx.get(server.url + "/clusters/west", headers={"authorization": f"Basic {basic}"}).status_code == 200
    with httpx.Client(base_url=server.url) as client:
        assert client.post("/session", headers={"authorization": f"Bearer {token}"}).status_code == 201
        assert client.get("/access").json()["caller"] == "jwt:corp/ann@127.0.0.1"


def test_a_webhook_sees_with_the_roles_of_the_subject_who_registered_it(
    server: ServerProcess, corp: TestIssuer
) -> None:
    relay = {"authorization": f"Bearer {corp.token('relay', groups=['relays'])}"}
    again = {"authorization": f"Bearer {corp.token('relay', groups=['relays'], iat=1)}"}
    with target() as receiver, httpx.Client(base_url=server.url, headers=BEARER) as admin:
        asked = {"id": "relay", "url": f"http://127.0.0.1:{receiver.port}/", "as": "both"}
        assert admin.post("/webhooks", json=asked, headers=relay).status_code == 201
        admin.put("/clusters/west", json={"config.joinCommand": "a-new-secret"}).raise_for_status()
        admin.put("/clusters/west", json={"tags": ["seen"]}).raise_for_status()
        (sent,) = receiver.wait_for(1)
        assert b'"seen"' in sent.body
        assert b"a-new-secret" not in sent.body
        assert b"joinCommand" not in sent.body
        assert admin.delete("/webhooks/relay", headers=again).status_code == 200


def test_a_service_account_is_known_by_keys_that_take_the_token_of_the_pod(
    server: ServerProcess, kubernetes: TestIssuer
) -> None:
    claims = {"iss": "https://kubernetes.default.svc.cluster.local", "kubernetes.io": {"cluster": "west"}}
    token = kubernetes.token("system:serviceaccount:fleet:west-controller", **claims)
    bearer = {"authorization": f"Bearer {token}"}
    assert access(server, token).json()["bindings"] == {"clusters": ["west"]}
    beats = [httpx.post(f"{server.url}/clusters/{id}/heartbeat", headers=bearer).status_code for id in ("west", "east")]
    assert beats == [200, 403]
    other = kubernetes.token("system:serviceaccount:fleet:other", **claims)
    assert access(server, other).json()["roles"] == []


def test_a_token_of_one_issuer_is_not_one_of_another(
    server: ServerProcess, corp: TestIssuer, kubernetes: TestIssuer
) -> None:
    claims = {"iss": "https://kubernetes.default.svc.cluster.local"}
    assert access(server, corp.token("ann", **claims)).status_code == 401
    assert access(server, kubernetes.token("ann", iss=corp.url, groups="fleet-admins")).status_code == 401


def test_a_wrong_token_is_answered_401_and_counted(server: ServerProcess, corp: TestIssuer) -> None:
    wrong = corp.token("ann", aud="other")
    headers = {"authorization": f"Bearer {wrong}", "x-forwarded-for": "203.0.113.1"}
    with httpx.Client(base_url=server.url, headers=headers) as client:
        statuses = [client.get("/access").status_code for _ in range(40)]
    assert (set(statuses[:20]), set(statuses[20:]) - {401}) == ({401}, {429})
    assert access(server, corp.token("ann"), **{"x-forwarded-for": "203.0.113.1"}).status_code == 200


def test_keys_that_change_are_fetched_for_the_first_token_that_needs_them(
    server: ServerProcess, corp: TestIssuer
) -> None:
    elsewhere = {"x-forwarded-for": "203.0.113.2"}  # from where no wrong token has come
    former = corp.token("ann", groups="fleet-admins")
    assert access(server, former).status_code == 200
    with httpx.stream(
        "GET", server.url + "/clusters/watch", headers={"authorization": f"Bearer {former}"}, timeout=20
    ) as watch:
        corp.rotate("second")
        until(lambda: access(server, corp.token("ann"), **elsewhere).status_code == 200)
        assert access(server, former, **{"x-forwarded-for": "203.0.113.3"}).status_code == 401
        assert "event: revoked\n" in "".join(watch.iter_text())


def test_a_flood_of_unknown_keys_asks_the_issuer_once(server: ServerProcess, corp: TestIssuer) -> None:
    before = corp.fetches

    def status(number: int) -> int:
        forged = corp.token("ann", header={"kid": f"made-up-{number}"})
        return access(server, forged, **{"x-forwarded-for": f"198.51.100.{number + 1}"}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(status, range(64))) == {401}
    assert corp.fetches - before <= 1
    assert access(server, corp.token("ann")).status_code == 200


def test_an_issuer_that_does_not_answer_is_named_and_its_last_keys_are_believed(
    server: ServerProcess, corp: TestIssuer
) -> None:
    corp.is_down = True

    def troubles() -> object:
        access(server, corp.token("ann", header={"kid": "made-up"}))
        return httpx.get(server.url + "/readyz", headers=BEARER).json()["security"]["issuers"]["corp"].get("trouble")

    until(lambda: "answered 403" in str(troubles()))
    assert access(server, corp.token("ann")).status_code == 200
    corp.is_down = False


def test_a_file_with_issuers_needs_its_key_files(directory: Path, corp: TestIssuer) -> None:
    from rollbook.errors import SettingRefused
    from rollbook.security.configuration import parse_configuration

    def refusal(more: str, issuer: str = "https://issuer.example") -> str:
        text = f"[[issuers]]\nissuer = '{issuer}'\naudience = 'rollbook'\n{more}"
        if "bindings" not in more:
            text += "\nbindings = []"
        with pytest.raises(SettingRefused) as refused:
            parse_configuration(text.encode())
        return refused.value.message

    (directory / "empty.json").write_text('{"keys": []}')
    (directory / "keys.json").write_text(json.dumps(corp.key_set))
    assert "`issuers[0].issuer`" in refusal("", "http://issuer.example")
    assert "`issuers[0].jwks_uri`" in refusal("jwks_uri = 'http://issuer.example/keys'")
    assert "`issuers[0].jwks_file`" in refusal(f"jwks_file = '{directory}/empty.json'")
    assert "absent.json" in refusal(f"jwks_file = '{directory}/absent.json'")
    assert "exclude each other" in refusal(f"jwks_file = '{directory}/keys.json'\nkeys = []")
    assert "`issuers[0].keys`" in refusal("keys = []")
    assert "`issuers[0].algorithms[0]`" in refusal("algorithms = ['HS256']")
    assert "`issuers[0].algorithms[0]`" in refusal("algorithms = ['none']")
    assert "`issuers[0].bindings[0].roles`" in refusal("bindings = [{filter = {}, roles = ['amdin']}]")
    assert "`issuers[0].bindings[0].filter" in refusal("bindings = [{filter = {'$bad' = 1}}]")
    assert "`filter`" in refusal("bindings = [{roles = ['reader']}]")
    with pytest.raises(SettingRefused, match="audience"):
        parse_configuration(b"[[issuers]]\nissuer = 'https://issuer.example'\nbindings = []")
