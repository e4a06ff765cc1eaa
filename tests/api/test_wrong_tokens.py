"""Floods of wrong tokens: what they are answered, what they take, and that others do not notice."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rollbook.security.tokens import Token, digest_of, new_token, new_token_id, row_of
from tests.engines import token_store_of
from tests.serving import ServerProcess

RIGHT = new_token(new_token_id())
ADDRESSES, EACH, CONNECTIONS = 200, 30, 4
"""As many addresses as send wrong tokens, how many each, over as many connections."""

KIBIBYTES_MAX = 20_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = tmp_path_factory.mktemp("flood") / "data"
    data.mkdir()
    store = token_store_of(data)
    store.save_token(row_of(Token("right00001", "right", ("reader",), digest_of(RIGHT), 1)))
    store.close()
    with ServerProcess(data, environment={"ROLLBOOK_TRUSTED_PROXIES": "127.0.0.0/8"}) as running:
        yield running


def request(number: int, token: str, address: int) -> bytes:
    """A request of its own address, token and client."""
    lines = (
        f"GET /clusters/c-{number}{'?fields=id' if number % 2 else ''} HTTP/1.1",
        "host: localhost",
        f"x-forwarded-for: 198.51.{address // 256}.{address % 256}",
        f"authorization: Bearer {token}",
    )
    return "\r\n".join([*lines, "", ""]).encode()


async def statuses(server: ServerProcess, requests: Sequence[bytes]) -> list[int]:
    """What is answered to requests on one connection, each sent when the one before is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    answers = []
    for each in requests:
        writer.write(each)
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        await reader.readexactly(int(fields[b"content-length"]))
        answers.append(int(head.split(b" ", 2)[1]))
    writer.close()
    return answers


def resident_kibibytes(server: ServerProcess) -> int:
    """The memory of the server."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


async def test_a_flood_of_wrong_tokens_is_limited_by_address_and_right_callers_are_answered(
    server: ServerProcess,
) -> None:
    wrong = [request(number, new_token("right00001"), number % ADDRESSES) for number in range(ADDRESSES * EACH)]
    right = [request(number, RIGHT, number % ADDRESSES) for number in range(100)]
    await statuses(server, [*wrong[:50], *right[:50]])
    before = resident_kibibytes(server)
    flood = (statuses(server, wrong[number::CONNECTIONS]) for number in range(CONNECTIONS))
    *refused, answered = await asyncio.gather(*flood, statuses(server, right))
    assert set(answered) == {404}
    counts = {status: sum(answers.count(status) for answers in refused) for status in (401, 429)}
    assert sum(counts.values()) == len(wrong)
    assert counts[401] >= 19 * ADDRESSES
    assert counts[429] >= (EACH - 20 - 8) * ADDRESSES
    assert resident_kibibytes(server) - before < KIBIBYTES_MAX
