"""The names that a registry answers to, and whose word counts about who the client is."""

import json
from ipaddress import ip_network
from pathlib import Path

import pytest

from rollbook.setting_values import HostNames, TrustedNetworks
from rollbook.settings import Settings
from tests.api.edges import Served, served
from tests.api.test_bodies import statuses
from tests.registry.writing import create

LISTED = Settings(hosts=HostNames(["registry.example.com"]))
OPEN = Settings(host="0.0.0.0")
OPEN_AND_LISTED = Settings(host="0.0.0.0", hosts=HostNames(["registry.example.com"]))
REQUESTS = {
    "read": ("GET", "/clusters/west", b""),
    "query": ("POST", "/clusters/query", b"{}"),
    "update": ("PUT", "/clusters/west", b'{"reputation": 1}'),
    "heartbeat": ("POST", "/clusters/west/heartbeat", b""),
    "metrics": ("GET", "/metrics", b""),
    "nothing": ("GET", "/nothing", b""),
}


def request(method: str, path: str, body: bytes, *headers: str, version: str = "1.1") -> bytes:
    """A request without a host of its own."""
    framing = ["Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join([f"{method} {path} HTTP/{version}", *headers, *framing, "", ""]).encode() + body


async def status(server: Served, name: str, *headers: str) -> int:
    """The status of a request with these headers."""
    method, path, body = REQUESTS.get(name, ("GET", name, b""))
    (answered,) = statuses(await server.exchange(request(method, path, body, *headers)))
    return answered


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_loopback_listener_answers_to_loopback_names_and_addresses(tmp_path: Path, name: str) -> None:
    async with served(tmp_path / "data") as server:
        await create(server.registry, "west")
        expected = 404 if name == "nothing" else 200
        for host in (
            "localhost",
            "LOCALHOST:3000",
            "127.0.0.1:80",
            "[::1]:3000",
            "10.1.2.3",
            "a.localhost",
            "localhost.",
        ):
            assert await status(server, name, f"Host: {host}") == expected
        for host in ("evil.example", "localhost.evil.example", "registry.example.com", "127.0.0.1.nip.io", ""):
            assert await status(server, name, f"Host: {host}") == 421


@pytest.mark.parametrize("settings", [LISTED, OPEN_AND_LISTED])
async def test_names_that_are_listed_are_answered_to(tmp_path: Path, settings: Settings) -> None:
    async with served(tmp_path / "data", settings=settings) as server:
        await create(server.registry, "west")
        assert await status(server, "read", "Host: registry.example.com:3000") == 200
        assert await status(server, "read", "Host: Registry.Example.com") == 200
        assert await status(server, "read", "Host: other.example.com") == 421


async def test_elsewhere_any_name_will_do_until_names_are_listed(tmp_path: Path) -> None:
    async with served(tmp_path / "data", settings=OPEN) as server:
        await create(server.registry, "west")
        assert await status(server, "read", "Host: anything.example") == 200
        assert await status(server, "read", "Host: ") == 200


@pytest.mark.parametrize("probe", ["/healthz", "/readyz", "/healthz?x=1"])
async def test_probes_pass_under_any_name(tmp_path: Path, probe: str) -> None:
    async with served(tmp_path / "data") as server:
        assert await status(server, probe, "Host: pod-7.cluster.local") == 200


@pytest.mark.parametrize("settings", [Settings(), OPEN])
@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Host: localhost", "Host: localhost"),
        ("Host: localhost", "host: evil.example"),
        ("Host: a b",),
        ("Host: a/b",),
    ],
    ids=str,
)
async def test_no_host_or_two_or_none_that_is_one_is_refused(
    tmp_path: Path, settings: Settings, headers: tuple[str, ...]
) -> None:
    async with served(tmp_path / "data", settings=settings) as server:
        for name in ("read", "/healthz"):
            assert await status(server, name, *headers) == 400


async def test_http_1_0_needs_no_host_and_gets_no_chunks(tmp_path: Path) -> None:
    async with served(tmp_path / "data") as server:
        for number in range(40):
            await create(server.registry, f"c{number}", note="x" * 10_000)
        answer = await server.exchange(request("POST", "/clusters/query", b"{}", version="1.0"))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b" 200 OK" in head
        assert b"transfer-encoding" not in head
        assert len(json.loads(body)) == 40


async def test_a_host_that_passed_before_does_not_stand_for_another_authority(tmp_path: Path) -> None:
    async with served(tmp_path / "data") as server:
        await create(server.registry, "west")
        for name in REQUESTS:
            assert await status(server, name, "Host: localhost") != 421
        for address in ("http://evil.example/clusters/west", "http://localhost.evil.example"):
            assert await status(server, address, "Host: localhost") == 421
        for address in ("http:///clusters/west", "http://localhost@evil.example/clusters/west", "http://a b/"):
            assert await status(server, address, "Host: localhost") == 400


@pytest.mark.parametrize("address", ["/clusters/west#protection", "/clusters/west?include=registry#", "/#"])
async def test_a_fragment_is_no_part_of_an_address(tmp_path: Path, address: str) -> None:
    async with served(tmp_path / "data") as server:
        await create(server.registry, "west")
        assert await status(server, address, "Host: localhost") == 400
        assert await status(server, address.replace("#", "%23"), "Host: localhost") in (400, 404)


async def test_the_authority_of_an_absolute_address_is_the_host(tmp_path: Path) -> None:
    async with served(tmp_path / "data") as server:
        await create(server.registry, "west")
        assert await status(server, "http://localhost:3000/clusters/west", "Host: localhost") == 200
        assert await status(server, "http://evil.example/clusters/west", "Host: localhost") == 421
        assert await status(server, "ftp://localhost/clusters/west", "Host: localhost") == 400


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ((), "127.0.0.1"),
        (("X-Forwarded-For: 203.0.113.7",), "203.0.113.7"),
        (("X-Forwarded-For: 198.51.100.1, 203.0.113.7",), "203.0.113.7"),
        (("X-Forwarded-For: 198.51.100.1, 203.0.113.7, 10.0.0.9",), "203.0.113.7"),
        (("X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 203.0.113.7"), "203.0.113.7"),
        (("X-Forwarded-For: 203.0.113.7:5050",), "203.0.113.7"),
        (('Forwarded: for="[2001:db8::7]:5050";proto=https, for=10.0.0.9',), "2001:db8::7"),
        (("Forwarded: proto=https;for=203.0.113.7", "X-Forwarded-For: 198.51.100.1"), "203.0.113.7"),
        (("Forwarded: for=198.51.100.1, for=unknown",), "127.0.0.1"),
        (("Forwarded: for=203.0.113.7, for=_hidden, for=10.0.0.9",), "10.0.0.9"),
        (("X-Forwarded-For: \x1b[2J",), None),
        (("X-Forwarded-For: nonsense",), "127.0.0.1"),
        (("X-Forwarded-For: ",), "127.0.0.1"),
    ],
    ids=str,
)
@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("shortcuts", [True, False])
async def test_only_trusted_proxies_say_who_the_client_is(
    tmp_path: Path, headers: tuple[str, ...], client: str | None, trusted: bool, shortcuts: bool
) -> None:
    proxies = TrustedNetworks((ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8")) if trusted else ())
    settings = Settings(trusted_proxies=proxies)
    async with served(tmp_path / "data", settings=settings, takes_shortcuts=shortcuts) as server:
        await create(server.registry, "west")
        answer = await server.exchange(
            request("PUT", "/clusters/west", b'{"reputation": 1}', "Host: localhost", *headers)
        )
        if client is None:
            assert statuses(answer) == [400]
            return
        assert statuses(answer) == [200]
        history = await server.exchange(request("GET", "/clusters/west/history", b"", "Host: localhost"))
        newest = json.loads(history.partition(b"\r\n\r\n")[2])[0]
        assert newest["actor"] == f"anonymous@{client if trusted else '127.0.0.1'}"
