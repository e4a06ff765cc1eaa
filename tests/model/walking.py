"""A walk: random steps that a registry and the model take together, and are compared after.

The registry is a real server process, which is stopped, killed and started again on the way. One client writes, so the
model knows what comes next. A write that was under way when the server was killed was either done or not.
"""

import contextlib
import copy
import json
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import httpx
import jsonpatch

from tests.examples import cluster, node
from tests.model.fleet_model import Document, FleetModel, differences, text, totals_of, value_at
from tests.serving import ServerProcess

IDS = [f"c{number}" for number in range(6)]
NODES = [f"n{number}" for number in range(5)]
REGIONS = ["north", "south", "\u2028odd\u0085"]
STEPS = 300


class Walk:
    """One walk of one seed."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.random = Random(seed)
        self.model = FleetModel()
        self.followed = 0
        self.copy: dict[str, Document] = {}
        environment = {
            "ROLLBOOK_BODIES": self.random.choice(["plain", "packed"]),
            "ROLLBOOK_SCHEMA": self.random.choice(["default", "lenient"]),
            "ROLLBOOK_HISTORY_CHANGES": str(self.random.choice([20, 60, 1_000_000])),
        }
        self.server = ServerProcess(directory / "data", environment=environment)
        self.http = httpx.Client(base_url=self.server.url, timeout=20)

    def run(self, steps: int = STEPS) -> None:
        """Take the steps; every difference is an AssertionError that names the step."""
        doings = [each for each, weight in self._doings() for _ in range(weight)]
        interruptions = self._interruptions(steps)
        try:
            self.server.start()
            for number in range(steps):
                doing = interruptions.get(number) or self.random.choice(doings)
                try:
                    doing()
                except AssertionError as difference:
                    raise AssertionError(f"step {number}, {doing.__name__}: {difference}") from difference
            self.compare_all()
            assert self.server.stop() == 0
        finally:
            self.http.close()
            if self.server.process is not None and self.server.process.poll() is None:
                self.server.kill()

    def _doings(self) -> list[tuple[Callable[[], None], int]]:
        return [
            (self.create, 16),
            (self.update, 28),
            (self.join, 24),
            (self.patch_node, 16),
            (self.leave, 10),
            (self.delete, 8),
            (self.protect, 8),
            (self.restore, 16),
            (self.read_past, 20),
            (self.count_past, 10),
            (self.read_history, 10),
            (self.read_changes, 10),
            (self.watch, 16),
            (self.follow, 16),
            (self.compare_all, 8),
        ]

    def _interruptions(self, steps: int) -> dict[int, Callable[[], None]]:
        """Few, for a start takes as long as hundreds of other steps. Each start compacts the history."""
        kinds = (self.restart, self.kill, self.kill_during_a_write)
        return dict(zip(self.random.sample(range(steps), len(kinds)), kinds, strict=True))

    def create(self) -> None:
        id = self._id()
        given = cluster(id, *[self._node(name) for name in self.random.sample(NODES, self.random.randint(1, 3))])
        given["regionId"] = self.random.choice(REGIONS)
        reply = self.http.post("/clusters", json=given)
        status = self.model.create(id, lambda: self._accepted(given, reply))
        self._check_write(reply, status, id)

    def _accepted(self, given: Document, reply: httpx.Response) -> Document:
        """What the registry made of a new document: what was given, defaults, and totals that are right."""
        made: Document = reply.json()
        assert differences(given, made) == [], reply.text
        wrong = {place: total for place, total in totals_of(made).items() if value_at(made, place) != total}
        assert not wrong, f"totals should be {wrong}"
        return made

    def update(self) -> None:
        id, number = self._id(), self.random.randint(0, 3)
        update, edit = self.random.choice(self._updates(number))
        reply = self.http.put(f"/clusters/{id}", json=update)
        self._check_write(reply, self.model.update(id, edit), id)

    def _updates(self, number: int) -> list[tuple[Any, Callable[[Document], None]]]:
        region = self.random.choice(REGIONS)

        def unset(document: Document) -> None:
            document["clusterMetadata"].pop("note", None)

        return [
            ({"regionId": region}, lambda document: document.update(regionId=region)),
            ({"$set": {"reputation": number}}, lambda document: document.update(reputation=number)),
            (
                {"$set": {"clusterMetadata.note": number}},
                lambda document: document["clusterMetadata"].update(note=number),
            ),
            ({"$unset": {"clusterMetadata.note": ""}}, unset),
            ({"$push": {"tags": f"t{number}"}}, lambda document: document["tags"].append(f"t{number}")),
            ({"$pop": {"tags": 1}}, lambda document: document.update(tags=document["tags"][:-1])),
            ({"$set": {"tags": []}}, lambda document: document.update(tags=[])),
        ]

    def join(self) -> None:
        id, joining = self._id(), self._node(self.random.choice(NODES))
        reply = self.http.post(f"/clusters/{id}/nodes", json=joining)
        self._check_write(reply, self.model.join(id, joining), id)

    def patch_node(self) -> None:
        id, name, members = self._id(), self.random.choice(NODES), {"memory": self.random.choice([1, 64, 1024])}
        reply = self.http.patch(f"/clusters/{id}/nodes/{name}", json=members)
        self._check_write(reply, self.model.patch_node(id, name, members), id)

    def leave(self) -> None:
        id, name = self._id(), self.random.choice(NODES)
        reply = self.http.delete(f"/clusters/{id}/nodes/{name}")
        self._check_write(reply, self.model.leave(id, name), id)

    def delete(self) -> None:
        id = self._id()
        self._check_write(self.http.delete(f"/clusters/{id}"), self.model.delete(id), id)

    def protect(self) -> None:
        id, protected = self._id(), self.random.random() < 0.4
        reply = self.http.request("PUT" if protected else "DELETE", f"/clusters/{id}/protection")
        self._check_write(reply, self.model.protect(id, protected), id)

    def restore(self) -> None:
        id, revision = self._id(), self._revision() if self.random.random() < 0.6 else None
        reply = self.http.post(f"/clusters/{id}/restore", json={} if revision is None else {"revision": revision})
        last = max((change.revision for change in self.model.changes if change.id == id), default=0)
        if not self._is_gone(reply, last - 1 if revision is None else revision):
            self._check_write(reply, self.model.restore(id, revision), id)

    def read_past(self) -> None:
        id, revision = self._id(), self._revision()
        reply = self.http.get(f"/clusters/{id}", params={"revision": revision})
        if not self._is_gone(reply, revision):
            wanted = self.model.at(revision).get(id)
            assert reply.status_code == (404 if wanted is None else 200), reply.text
            assert wanted is None or text(reply.json()) == text(wanted)

    def count_past(self) -> None:
        revision, region = self._revision(), self.random.choice(REGIONS)
        reply = self.http.post("/clusters/query", json={"regionId": region}, params={"revision": revision})
        if not self._is_gone(reply, revision):
            wanted = [text(each) for each in self.model.at(revision).values() if each["regionId"] == region]
            assert sorted(map(text, reply.json())) == sorted(wanted)

    def read_history(self) -> None:
        id = self._id()
        reply = self.http.get(f"/clusters/{id}/history", params={"as": "document", "limit": 1000})
        lives = [change for change in self.model.changes if change.id == id]
        assert reply.status_code == (200 if lives else 404), reply.text
        if lives:
            mark = int(reply.headers["x-registry-compacted"])
            told = [(each["revision"], each["event"], text(each["document"])) for each in reply.json()]
            wanted = [(each.revision, each.event, text(each.after)) for each in reversed(lives)]
            assert told == wanted[: len(told)]
            assert all(revision <= mark for revision, *_ in wanted[len(told) :])

    def read_changes(self) -> None:
        since = self._revision()
        reply = self.http.get("/changes", params={"since": since, "as": "document", "limit": 1000})
        if not self._is_gone(reply, since):
            told = [(each["revision"], each["event"], each["id"], text(each["document"])) for each in reply.json()]
            changes = self.model.changes[since:]
            assert told == [(each.revision, each.event, each.id, text(each.after)) for each in changes]

    def watch(self) -> None:
        since, region = self._revision(), self.random.choice(REGIONS)
        body = {"query": {"regionId": region}, "since": since}
        reply = self.http.post("/clusters/watch", json=body, params={"wait": "0s"})
        if self._is_gone(reply, since):
            return
        up_to = reply.json()["revision"]
        told = [
            (each["revision"], each["event"], each["id"], text(each["document"])) for each in reply.json()["events"]
        ]
        wanted = self.model.events(since, up_to, lambda document: document["regionId"] == region)
        assert told == [(revision, name, id, text(after)) for revision, name, id, after in wanted]

    def follow(self) -> None:
        """Keep a copy of the fleet by patches alone, from where it was left: it equals the registry."""
        headers = {"accept": "application/x-ndjson"}
        asked = {"since": self.followed, "as": "patch"}
        newest = self.model.revision
        with self.http.stream("GET", "/clusters/watch", params=asked, headers=headers) as stream:
            if stream.status_code == 410:
                stream.read()
                self._is_gone(stream, self.followed)
                self._copy_anew()
                return
            assert stream.status_code == 200
            lines = stream.iter_lines()
            while self.followed < newest:
                event = json.loads(next(lines))
                assert event["event"] in ("created", "updated", "deleted", "bookmark"), event
                if event["event"] != "bookmark":
                    self._patch(event["id"], event["patch"])
                self.followed = event["revision"]
        assert {id: text(each) for id, each in self.copy.items()} == {
            id: text(each) for id, each in self.model.clusters.items()
        }

    def compare_all(self) -> None:
        reply = self.http.post("/clusters/query", json={})
        assert reply.headers["x-registry-revision"] == str(self.model.revision)
        assert list(map(text, reply.json())) == list(map(text, self.model.clusters.values()))

    def restart(self) -> None:
        assert self.server.stop() == 0
        self.server.start()

    def kill(self) -> None:
        self.server.kill()
        self.server.start()

    def kill_during_a_write(self) -> None:
        id, number = self._id(), self.random.randint(10, 99)

        def write() -> None:
            with contextlib.suppress(httpx.TransportError):
                self.http.put(f"/clusters/{id}", json={"reputation": number})

        writing = threading.Thread(target=write)
        writing.start()
        self.server.kill()
        writing.join()
        self.server.start()
        newest = self.http.get("/readyz").json()["revision"]
        if newest == self.model.revision + 1:
            self.model.update(id, lambda document: document.update(reputation=number))
        assert newest == self.model.revision

    def _id(self) -> str:
        return self.random.choice(IDS)

    def _revision(self) -> int:
        """A revision, more often a young one."""
        oldest = 0 if self.random.random() < 0.2 else max(0, self.model.revision - 30)
        return self.random.randint(oldest, self.model.revision)

    def _node(self, name: str) -> Document:
        return node(name, gpus=self.random.randint(0, 3), memory=self.random.choice([256, 512]))

    def _check_write(self, reply: httpx.Response, status: int, id: str) -> None:
        assert reply.status_code == status, f"{reply.status_code} instead of {status}: {reply.text}"
        stands = self.http.get(f"/clusters/{id}")
        wanted = self.model.clusters.get(id)
        assert stands.status_code == (404 if wanted is None else 200)
        if wanted is not None:
            assert text(stands.json()) == text(wanted), f"{text(stands.json())} instead of {text(wanted)}"
            newest = max(change.revision for change in self.model.changes if change.id == id)
            assert stands.headers["etag"].strip('"').partition("-")[0] == str(newest)

    def _is_gone(self, reply: httpx.Response, needed: int) -> bool:
        """Whether the answer is that the past is gone, which is right only up to where the history was compacted."""
        if reply.status_code != 410:
            return False
        mark = int(self.http.get("/readyz").json()["compacted"])
        assert needed < mark <= self.model.revision, f"revision {needed} should be kept: {reply.text}"
        return True

    def _patch(self, id: str, patch: list[dict[str, Any]]) -> None:
        after = jsonpatch.apply_patch(copy.deepcopy(self.copy.get(id)), patch)
        if after is None:
            del self.copy[id]
        else:
            self.copy[id] = after

    def _copy_anew(self) -> None:
        reply = self.http.post("/clusters/query", json={})
        self.copy = {each["id"]: each for each in reply.json()}
        self.followed = int(reply.headers["x-registry-revision"])
