"""Which addresses may be reached, and that what is connected to is what was judged."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from rollbook.registry.webhooks.addresses import Address, problem_with
from rollbook.registry.webhooks.resolving import Resolve
from rollbook.registry.webhooks.sending import Connection, Sender, Sent
from rollbook.setting_values import AllowedNetworks, allowed_networks
from tests.serving import free_port
from tests.webhooks.receiving import Answer, Target, target

NOTHING = AllowedNetworks()
LOOPBACK = allowed_networks("127.0.0.0/8")

REFUSED = """
0.0.0.0 0.0.0.1 10.0.0.0 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 168.63.129.16
169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.168.0.1 198.18.0.1 198.19.255.255
198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::127.0.0.1 64:ff9b::a00:1
64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 3fff::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1
ff02::1 fe80::1%eth0
"""

REACHABLE = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255
172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
2001:4860:4860::8888 2606:4700:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808
"""


@pytest.mark.parametrize("address", REFUSED.split())
def test_an_address_that_is_not_public_is_refused_by_name(address: str) -> None:
    problem = problem_with(ip_address(address), NOTHING)
    assert problem is not None
    assert "ROLLBOOK_WEBHOOKS_PRIVATE" in problem


@pytest.mark.parametrize("address", REACHABLE.split())
def test_a_public_address_may_be_reached(address: str) -> None:
    assert problem_with(ip_address(address), NOTHING) is None


@pytest.mark.parametrize("address", REFUSED.split())
def test_everything_may_be_allowed(address: str) -> None:
    assert problem_with(ip_address(address), allowed_networks("allow")) is None


@pytest.mark.parametrize(
    ("address", "reached"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("10.2.0.0", False), ("fd00::1", True), ("127.0.0.1", False)],
)
def test_a_network_may_be_allowed_and_no_other(address: str, reached: bool) -> None:
    assert (problem_with(ip_address(address), allowed_networks("10.1.0.0/16,fd00::/8")) is None) == reached


class Names:
    """A name server whose answers change: each is given once, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = [list(map(ip_address, answer)) for answer in answers]
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append(host)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


@asynccontextmanager
async def line(allowed: AllowedNetworks, resolve: Resolve | None = None) -> AsyncIterator[Connection]:
    """A line for the length of the block."""
    sender = Sender(allowed=allowed, resolve=resolve)
    opened = sender.line()
    try:
        yield opened
    finally:
        await opened.close()
        sender.close()


async def post(url: str, allowed: AllowedNetworks, names: Names, *, times: int = 1, close: bool = True) -> list[Sent]:
    """What comes of some attempts, one after the other."""
    headers = {"connection": "close"} if close else {}
    async with line(allowed, names) as opened:
        return [await opened.send(url, headers, b"{}", seconds=5) for _ in range(times)]


@pytest.fixture
def receiver() -> Iterator[Target]:
    with target() as opened:
        yield opened


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "::1"])
async def test_a_name_of_a_private_address_is_not_connected_to(receiver: Target, address: str) -> None:
    (sent,) = await post(f"http://innocent.example:{receiver.port}/", NOTHING, Names([address]))
    assert sent.problem is not None
    assert address in sent.problem or "127.0.0.1" in sent.problem
    assert receiver.received == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "localhost"])
async def test_an_address_in_disguise_is_not_connected_to(receiver: Target, host: str) -> None:
    async with line(NOTHING) as opened:
        sent = await opened.send(f"http://{host}:{receiver.port}/", {}, b"{}", seconds=5)
    assert sent.problem is not None
    assert "ROLLBOOK_WEBHOOKS_PRIVATE" in sent.problem
    assert receiver.received == []


async def test_a_name_is_judged_at_every_connection(receiver: Target) -> None:
    # Allowed at first, rebound to what is not allowed afterwards.
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    first, second = await post(
        f"http://rebound.example:{receiver.port}/", allowed_networks("127.0.0.1/32"), names, times=2
    )
    assert first.problem is None
    assert second.problem is not None
    assert "127.0.0.2" in second.problem
    assert names.asked == ["rebound.example"] * 2


async def test_what_is_connected_to_is_the_address_that_was_judged(receiver: Target) -> None:
    # The second answer would lead to the receiver, but nobody asks twice: 127.0.0.2 was judged, and nothing is there.
    names = Names(["127.0.0.2"], ["127.0.0.1"])
    (sent,) = await post(f"http://rebound.example:{receiver.port}/", LOOPBACK, names)
    assert sent.problem is not None
    assert receiver.received == []
    assert names.asked == ["rebound.example"]


async def test_of_several_addresses_only_those_are_tried_that_may_be_reached(receiver: Target) -> None:
    names = Names(["10.0.0.1", "127.0.0.2", "127.0.0.1"])
    (sent,) = await post(f"http://several.example:{receiver.port}/", LOOPBACK, names)
    assert sent.problem is None
    (received,) = receiver.received
    assert received.headers["host"] == f"several.example:{receiver.port}"


async def test_a_connection_is_used_again(receiver: Target) -> None:
    names = Names(["127.0.0.1"])
    sent = await post(f"http://steady.example:{receiver.port}/", LOOPBACK, names, times=3, close=False)
    assert [each.problem for each in sent] == [None] * 3
    assert names.asked == ["steady.example"]


async def test_a_redirect_to_a_private_address_is_no_way_in(receiver: Target) -> None:
    with target() as inner:
        receiver.answer = lambda _: Answer(307, {"location": inner.url})
        (sent,) = await post(f"http://rebound.example:{receiver.port}/", LOOPBACK, Names(["127.0.0.1"]))
        assert sent.problem == "answered 307 Temporary Redirect; redirects are not followed"
        assert inner.received == []


async def test_proxies_of_the_environment_are_not_asked(receiver: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    with target() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        (sent,) = await post(f"http://steady.example:{receiver.port}/", LOOPBACK, Names(["127.0.0.1"]))
        assert (sent.problem, len(receiver.received), proxy.received) == (None, 1, [])


async def test_a_name_that_nobody_knows_and_a_port_where_nobody_listens_are_told() -> None:
    async def unknown(host: str, port: int) -> Sequence[Address]:
        raise OSError("no such name")

    async with line(LOOPBACK, unknown) as opened:
        sent = await opened.send("http://nowhere.example/", {}, b"{}", seconds=5)
    assert sent.problem == "the name nowhere.example can't be resolved: no such name"

    (sent,) = await post(f"http://empty.example:{free_port()}/", LOOPBACK, Names(["127.0.0.1"]))
    assert sent.problem is not None


async def test_what_does_not_speak_http_is_told_without_its_words() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-secret\r\n")
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    (sent,) = await post(f"http://steady.example:{port}/", LOOPBACK, Names(["127.0.0.1"]))
    server.close()
    assert sent.problem is not None
    assert "secret" not in sent.problem


async def test_a_name_that_takes_for_ever_is_given_up() -> None:
    async def slow(host: str, port: int) -> Sequence[Address]:
        await asyncio.sleep(60)
        return []

    async with line(LOOPBACK, slow) as opened:
        sent = await opened.send("http://slow.example/", {}, b"{}", seconds=0.1)
    assert sent.problem == "no answer within 0.1 s"
