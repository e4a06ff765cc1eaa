"""Sessions of browsers are good at every process, and end in all of them."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from string import ascii_letters, digits

import httpx
import pytest

from rollbook.errors import SessionRefused
from rollbook.journal.opening import open_shared_token_store
from rollbook.journal.storing import StoreThread
from rollbook.journal.token_store import EndedSession
from rollbook.security.sessions import SECONDS, SealedSessions, Session
from tests.examples import cluster
from tests.many_processes import Fleet, fleet_of
from tests.postgresql import shared_schemas
from tests.serving import ServerProcess

ADMIN = "admin-" + "x" * 40
BEARER = {"authorization": f"Bearer {ADMIN}"}
OWN = {"sec-fetch-site": "same-origin"}
SECONDS_MAX = 1.0


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    file = tmp_path_factory.mktemp("sessions") / "admin"
    file.write_text(ADMIN)
    return {"ROLLBOOK_JOURNAL": shared_schemas().new(), "ROLLBOOK_ADMIN_TOKEN_FILE": str(file)}


@pytest.fixture(scope="module")
def fleet(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    others = {name: value for name, value in environment.items() if name != "ROLLBOOK_JOURNAL"}
    with fleet_of(2, environment["ROLLBOOK_JOURNAL"], tmp_path_factory.mktemp("caches"), **others) as fleet:
        fleet.clients[0].post("/clusters", json=cluster("west"), headers=BEARER).raise_for_status()
        seen = fleet.clients[1].get("/clusters/west", params={"consistency": "strong"}, headers=BEARER)
        assert seen.status_code == 200
        yield fleet


def session(client: httpx.Client, token: str = ADMIN) -> dict[str, str]:
    """The header of a new session, which the client itself forgets."""
    opened = client.post("/session", headers={"authorization": f"Bearer {token}"})
    client.cookies.clear()
    assert opened.status_code == 201, opened.text
    return {"cookie": opened.headers["set-cookie"].partition(";")[0]}


def ends_within_a_second(client: httpx.Client, cookie: dict[str, str]) -> bool:
    until = time.monotonic() + SECONDS_MAX
    while time.monotonic() < until:
        if client.get("/clusters/west", headers=cookie).status_code == 401:
            return True
    return False


def test_a_session_is_good_at_every_process_at_once(fleet: Fleet) -> None:
    one, other = fleet.clients
    for opening, asking in ((one, other), (other, one)):
        for _ in range(5):
            cookie = session(opening)
            assert asking.get("/clusters/west", headers=cookie).status_code == 200
    assert ADMIN not in str(cookie)


def test_a_session_is_good_at_a_process_that_starts_later(
    fleet: Fleet, environment: dict[str, str], tmp_path: Path
) -> None:
    lasting = session(fleet.clients[0])
    ended = session(fleet.clients[0])
    fleet.clients[1].delete("/session", headers={**ended, **OWN}).raise_for_status()
    with ServerProcess(tmp_path / "later", environment=environment) as later:
        assert httpx.get(f"{later.url}/clusters/west", headers=lasting).status_code == 200
        assert httpx.get(f"{later.url}/clusters/west", headers=ended).status_code == 401


def test_a_session_that_is_signed_out_ends_everywhere(fleet: Fleet) -> None:
    one, other = fleet.clients
    cookie, another = (session(one) for _ in range(2))
    other.delete("/session", headers={**cookie, **OWN}).raise_for_status()
    assert other.get("/clusters/west", headers=cookie).status_code == 401
    assert ends_within_a_second(one, cookie)
    assert [client.get("/clusters/west", headers=another).status_code for client in fleet.clients] == [200, 200]
    assert one.delete("/session", headers={**cookie, **OWN}).status_code == 200


def test_a_session_ends_everywhere_with_its_token(fleet: Fleet) -> None:
    one, other = fleet.clients
    token = one.post("/tokens", json={"name": "ann", "roles": ["reader"]}, headers=BEARER).json()
    cookie = session(one, token["token"])
    until = time.monotonic() + SECONDS_MAX
    while other.get("/clusters/west", headers=cookie).status_code != 200:
        assert time.monotonic() < until, "the token is not known"
    one.delete(f"/tokens/{token['id']}", headers=BEARER).raise_for_status()
    assert one.get("/clusters/west", headers=cookie).status_code == 401
    assert ends_within_a_second(other, cookie)


@pytest.mark.parametrize("changed", [0, 20, -1])
def test_a_cookie_that_was_changed_is_nobody_s(fleet: Fleet, changed: int) -> None:
    cookie = session(fleet.clients[0])
    name, _, value = cookie["cookie"].partition("=")
    letters = list(value)
    letters[changed] = "A" if letters[changed] != "A" else "Q"
    for secret in ("".join(letters), value[:-4], "", "A" * 16, "made-up"):
        for client in fleet.clients:
            assert client.get("/clusters/west", headers={"cookie": f"{name}={secret}"}).status_code == 401


def test_too_many_that_are_signed_out_end_all(fleet: Fleet, environment: dict[str, str]) -> None:
    store = open_shared_token_store(environment["ROLLBOOK_JOURNAL"])
    cookie = session(fleet.clients[0])
    now_ms = round(time.time() * 1000)
    ends_at_ms = now_ms + SECONDS * 1000
    for number in range(4):
        store.sessions.end(EndedSession(bytes([number]), ends_at_ms), now_ms=now_ms, kept_max=3)
    kept = store.sessions.ended()
    assert len(kept) <= 3
    assert EndedSession(b"", ends_at_ms) in kept
    store.close()
    assert all(ends_within_a_second(client, cookie) for client in fleet.clients)
    later = session(fleet.clients[0])
    assert fleet.clients[1].get("/clusters/west", headers=later).status_code == 200


def test_a_token_is_sealed_as_it_is_unless_it_fits_no_cookie(environment: dict[str, str]) -> None:
    keep = StoreThread(open_shared_token_store(environment["ROLLBOOK_JOURNAL"]), name="tokens")
    one, other = (SealedSessions(bytes([key]) * 32, keep, now_ms=lambda: 5) for key in (1, 2))
    longest = "ü" * 1_380
    secret = one.open(longest)
    assert one.find(secret) == Session(longest, 5 + SECONDS * 1000)
    assert other.find(secret) is None
    assert len(secret) <= 3_800
    with pytest.raises(SessionRefused, match="too long for a cookie"):
        one.open("x" * 3_000)
    keep.close()


@pytest.mark.parametrize("length", [40, 41, 42])
def test_an_ended_session_has_ended_however_its_secret_is_written(
    fleet: Fleet, environment: dict[str, str], length: int
) -> None:
    keep = StoreThread(open_shared_token_store(environment["ROLLBOOK_JOURNAL"]), name="tokens")
    sessions = SealedSessions(bytes(32), keep, now_ms=lambda: 5)
    secret = sessions.open("x" * length)
    ways = {secret.translate(str.maketrans("-_", "+/")), secret + "=" * (-len(secret) % 4)}
    ways |= {secret[:-1] + letter for letter in ascii_letters + digits + "-_"}
    assert any(sessions.find(each) is not None for each in ways)
    asyncio.run(sessions.close(secret))
    assert not [each for each in ways if sessions.find(each) is not None]
    keep.close()


def test_ending_all_twice_leaves_one_row(fleet: Fleet, environment: dict[str, str]) -> None:
    store = open_shared_token_store(environment["ROLLBOOK_JOURNAL"])
    now_ms = round(time.time() * 1000)
    for number in range(9):
        store.sessions.end(EndedSession(bytes([50 + number]), now_ms + 60_000 + number), now_ms=now_ms, kept_max=2)
    assert len(store.sessions.ended()) <= 2
    store.close()
