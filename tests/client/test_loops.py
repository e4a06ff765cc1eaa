"""What takes several requests, by both clients: changes, watches, informers and heartbeats, over networks that fail."""

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest

from rollbook.client import AsyncClient, Client, Retries
from rollbook.client.informing import Copy
from rollbook.errors import Compacted, FilterRefused, PreconditionFailed, RegistryUnreachable
from tests.client.proxies import Fault, Proxy
from tests.examples import cluster
from tests.serving import ServerProcess

QUICK = Retries(attempts=12, first_seconds=0.01, longest_seconds=0.1)
WAIT = 20.0


class Driven:
    """A client of either kind, driven by the same coroutine."""

    def __init__(self, kind: str, url: str) -> None:
        self.is_async = kind == "async"
        self.client: Any = (AsyncClient if self.is_async else Client)(url, retries=QUICK)

    async def __call__(self, method: Callable[..., Any], *args: Any, **given: Any) -> Any:
        """The result of a method."""
        return await (method(*args, **given) if self.is_async else asyncio.to_thread(method, *args, **given))

    async def take(self, watch: Any, count: int) -> list[dict[str, Any]]:
        """The next events of a watch."""
        if self.is_async:
            return [await asyncio.wait_for(anext(watch), WAIT) for _ in range(count)]
        return await asyncio.wait_for(asyncio.to_thread(lambda: [next(watch) for _ in range(count)]), WAIT)

    async def close(self) -> None:
        await self(self.client.close)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("loops") / "data") as started:
        yield started


@pytest.fixture
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        for found in client.post("/clusters/query", json={}).json():
            client.delete(f"/clusters/{found['id']}")
        client.post("/clusters", json=cluster("west", reputation=0)).raise_for_status()
        yield client


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def add_one(document: dict[str, Any]) -> None:
    document["reputation"] += 1


async def test_a_change_is_made_to_what_others_wrote(http: httpx.Client, server: ServerProcess, kind: str) -> None:
    driven = Driven(kind, server.url)
    await asyncio.gather(*(driven(driven.client.change, "west", add_one, reason="count") for _ in range(12)))
    assert http.get("/clusters/west").json()["reputation"] == 12
    assert http.get("/clusters/west/history").json()[0]["reason"] == "count"
    await driven.close()


async def test_a_change_that_changes_nothing_writes_nothing(
    http: httpx.Client, server: ServerProcess, kind: str
) -> None:
    driven = Driven(kind, server.url)
    before = http.get("/clusters/west").headers["etag"]
    reply = await driven(driven.client.change, "west", lambda document: dict(document))
    assert reply.etag == before == http.get("/clusters/west").headers["etag"]
    await driven.close()


async def test_a_change_gives_up_when_others_are_always_faster(
    http: httpx.Client, server: ServerProcess, kind: str
) -> None:
    driven = Driven(kind, server.url)

    def overtaken(document: dict[str, Any]) -> None:
        http.put("/clusters/west", json={"$inc": {"reputation": 1}})
        document["tags"] = ["late"]

    with pytest.raises(PreconditionFailed):
        await driven(driven.client.change, "west", overtaken, attempts=3)
    assert http.get("/clusters/west").json()["reputation"] == 3
    await driven.close()


async def test_each_change_is_made_once_over_a_network_that_fails(
    http: httpx.Client, server: ServerProcess, kind: str
) -> None:
    chance = random.Random(7)
    faults: list[Fault] = ["none", "refuse", "delay", "cut the request", "lose the answer", "cut the answer"]

    with Proxy(server.url, lambda: chance.choice(faults)) as proxy:
        driven = Driven(kind, proxy.url)
        done = unknown = 0
        for _ in range(12):
            try:
                await driven(driven.client.change, "west", add_one)
                done += 1
            except RegistryUnreachable:
                unknown += 1
            driven.client._http.headers["connection"] = "close"
        await driven.close()
    assert done > 6
    assert done <= http.get("/clusters/west").json()["reputation"] <= done + unknown


async def test_reads_and_conditional_writes_survive_a_network_that_fails(
    http: httpx.Client, server: ServerProcess, kind: str
) -> None:
    chance = random.Random(3)
    faults: list[Fault] = ["none", "refuse", "delay", "cut the answer", "lose the answer", "repeat the request"]
    with Proxy(server.url, lambda: chance.choice(faults)) as proxy:
        driven = Driven(kind, proxy.url)
        driven.client._http.headers["connection"] = "close"
        for _ in range(12):
            assert (await driven(driven.client.clusters.read, "west")).document["id"] == "west"
            assert await driven(driven.client.clusters.count, {}) == 1
        await driven.close()


async def test_a_watch_goes_on_where_its_connection_broke(http: httpx.Client, server: ServerProcess, kind: str) -> None:
    with Proxy(server.url, lambda: "none") as proxy:
        driven = Driven(kind, proxy.url)
        watch = driven.client.watch({"status": "live"}, since=int(http.get("/clusters/west").headers["etag"][1:-1]))
        http.put("/clusters/west", json={"reputation": 1})
        [first] = await driven.take(watch, 1)
        proxy.drop()
        http.put("/clusters/west", json={"reputation": 2})
        http.put("/clusters/west", json={"status": "busy"})
        later = await driven.take(watch, 2)
        await driven(watch.close)
    assert [first["event"], *(each["event"] for each in later)] == ["updated", "updated", "left"]
    assert [first["document"]["reputation"], later[0]["document"]["reputation"]] == [1, 2]
    assert watch.revision == later[-1]["revision"]
    assert proxy.connections >= 2
    await driven.close()


async def test_a_watch_raises_what_would_come_again(http: httpx.Client, server: ServerProcess, kind: str) -> None:
    driven = Driven(kind, server.url)
    with pytest.raises(FilterRefused):
        await driven.take(driven.client.watch({"a": {"$atLeast": 1}}, since=0), 1)
    await driven.close()


async def test_a_watch_of_a_registry_that_is_away_ends_with_why(kind: str) -> None:
    driven = Driven(kind, "http://127.0.0.1:9")
    with pytest.raises(RegistryUnreachable):
        await driven.take(driven.client.watch(since=0), 1)
    await driven.close()


def test_a_watch_is_closed_by_another_thread(http: httpx.Client, server: ServerProcess) -> None:
    with Client(server.url) as client, client.watch() as watch:
        threading.Timer(0.3, watch.close).start()
        assert list(watch) == []


async def entered(kind: str, server: str, **asked: Any) -> tuple[Driven, Any]:
    driven = Driven(kind, server)
    informer = driven.client.informer(**asked)
    await (informer.start() if driven.is_async else asyncio.to_thread(informer.start))
    return driven, informer


async def test_an_informer_is_a_query_that_is_answered_already(
    http: httpx.Client, server: ServerProcess, kind: str
) -> None:
    http.post("/clusters", json=cluster("east", regionId="us-east-1", tags=["gpu", "edge"]))
    http.post("/clusters", json=cluster("gone", status="draining"))
    index_by = {"region": "regionId", "tag": "tags", "large": lambda document: document["memory"] > 10}
    driven, informer = await entered(kind, server.url, filter={"status": "live"}, index_by=index_by)
    await driven(informer.wait_ready, WAIT)
    assert (len(informer), "gone" in informer, informer.get("gone")) == (2, False, None)
    assert informer.get("east") == http.get("/clusters/east").json()
    assert [each["id"] for each in informer.by("region", "us-east-1")] == ["east"]
    assert sorted(each["id"] for each in informer.by("tag", "gpu")) == ["east", "west"]
    assert len(informer.by("large", True)) == 2
    assert informer.by("region", "eu") == []
    assert informer.age < 6

    reply = http.put("/clusters/east", json={"regionId": "eu", "tags": []})
    await driven(informer.wait_for, int(reply.headers["etag"][1:-1]), WAIT)
    assert [each["id"] for each in informer.by("region", "eu")] == ["east"]
    assert informer.by("region", "us-east-1") == informer.by("tag", "edge") == []
    http.delete("/clusters/east")
    left = http.put("/clusters/west", json={"status": "draining"})
    await driven(informer.wait_for, int(left.headers["etag"][1:-1]), WAIT)
    assert informer.values() == []
    await driven(informer.close)
    await driven.close()


async def test_an_informer_whose_filter_is_refused_says_so(
    http: httpx.Client, server: ServerProcess, kind: str
) -> None:
    driven, informer = await entered(kind, server.url, filter={"a": {"$atLeast": 1}})
    with pytest.raises(FilterRefused):
        await driven(informer.wait_ready, WAIT)
    await driven(informer.close)
    await driven.close()


async def test_an_informer_asks_at_most_once_a_second_while_the_registry_is_away(kind: str) -> None:
    with Proxy("http://127.0.0.1:9", lambda: "refuse") as proxy:
        driven, informer = await entered(kind, proxy.url)
        with pytest.raises(RegistryUnreachable):
            await driven(informer.wait_ready, 3.2)
        assert 2 <= proxy.connections <= 4
        assert informer.age == float("inf")
        await driven(informer.close)
        await driven.close()


async def test_informers_equal_a_query_after_random_changes_restarts_and_compaction(tmp_path: Path) -> None:
    chance, keep = random.Random(11), {"ROLLBOOK_HISTORY_CHANGES": "40"}
    server = ServerProcess(tmp_path / "data", environment=keep).start()
    with closing(Client(server.url)) as client:
        for number in range(30):
            client.clusters.create(cluster(f"c-{number}"))
        async with AsyncClient(server.url) as other:
            threaded, task = client.informer({"status": "live"}).start(), other.informer({"status": "live"})
            async with task:
                await task.wait_ready(WAIT)
                for number in range(200):
                    id = f"c-{chance.randrange(30)}"
                    change = chance.choice([{"status": "live"}, {"status": "busy"}, {"reputation": number}])
                    await asyncio.to_thread(client.clusters.update, id, change)
                    if number == 120:
                        await asyncio.to_thread(server.stop)
                        await asyncio.to_thread(server.start)
                newest = client.history.newest()
                await asyncio.gather(task.wait_for(newest, WAIT), asyncio.to_thread(threaded.wait_for, newest, WAIT))
                expected = {each["id"]: each for each in client.clusters.query({"status": "live"})}
                assert expected == by_id(task) == by_id(threaded)
                threaded.close()
    server.stop()


def by_id(informer: Copy) -> dict[str, Any]:
    return {each["id"]: each for each in informer}


async def test_a_watch_whose_history_is_gone_says_so(kind: str) -> None:
    body = {"code": "compacted", "error": "gone", "detail": "changes after 1 are no longer kept"}
    transport = httpx2.MockTransport(lambda request: httpx2.Response(410, json=body))
    driven = Driven(kind, "http://registry")
    driven.client = (AsyncClient if driven.is_async else Client)("http://registry", transport=transport)
    with pytest.raises(Compacted):
        await driven.take(driven.client.watch(since=1), 1)


async def test_heartbeats_are_sent_until_the_end(http: httpx.Client, server: ServerProcess, kind: str) -> None:
    driven = Driven(kind, server.url)
    heartbeater = driven.client.heartbeater("west", every=0.05, ttl_seconds=30)
    await (heartbeater.start() if driven.is_async else asyncio.to_thread(heartbeater.start))
    while heartbeater.lease is None:
        await asyncio.sleep(0.01)
    assert (heartbeater.lease["id"], heartbeater.lease["ttlSeconds"], heartbeater.error) == ("west", 30, None)
    assert heartbeater.age < 5
    http.delete("/clusters/west")
    while heartbeater.error is None:
        await asyncio.sleep(0.01)
    http.post("/clusters", json=cluster("west"))
    while heartbeater.error is not None:
        await asyncio.sleep(0.01)
    await driven(heartbeater.close)
    await driven.close()


def test_a_lease_of_its_own_length_is_renewed_three_times(server: ServerProcess) -> None:
    with Client(server.url) as client:
        assert client.heartbeater("west", ttl_seconds=60).every == 20
        assert client.heartbeater("west").every == 10
