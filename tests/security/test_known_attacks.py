"""The attacks that have worked against field secrecy elsewhere, each by its name: here they learn and move nothing.

The secret is ``SECRET``, of the cluster ``west``; the cluster ``far`` is one that the caller does not see at all.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from tests.examples import cluster
from tests.security.twins import ADMIN, Twins, twins
from tests.webhooks.receiving import Target, target

SECRET = "kubeadm join 10.0.0.1 --token hunter2"
MINE = {"clusterMetadata.owner": {"$eq": {"$caller": "owner"}}}
READS = ["read", "watch", "history", "explain", "webhooks"]
ROLES: dict[str, Any] = {
    "weak": [
        {"verbs": READS, "filter": MINE, "hide": ["$secrets"]},
        {"verbs": ["update", "restore", "nodes", "heartbeat"], "filter": MINE, "write": ["tags", "status"]},
    ],
    "onlooker": [
        {"verbs": ["read"], "hide": ["$secrets", "nodes"]},
        {"verbs": ["heartbeat", "update", "create"], "filter": MINE, "write": ["clusterMetadata"]},
    ],
    "unveiled": [{"verbs": ["read"]}, {"verbs": ["update"], "filter": MINE}],
    "remover": [{"verbs": ["read"]}, {"verbs": ["delete"], "filter": MINE}],
    "blind-restorer": [{"verbs": ["read", "history", "create", "restore"], "hide": ["regionId"]}],
    "masked-writer": [{"verbs": ["read", "create", "update", "delete", "restore", "nodes"], "hide": ["$secrets"]}],
}
PATH = "config.joinCommand"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    with twins(tmp_path_factory.mktemp("attacks"), ROLES, owner="ml") as registries:
        yield registries


@pytest.fixture
def weak(served: Twins) -> Iterator[httpx.Client]:
    """A client of the weak role, of a registry with the two clusters."""
    admin = {"authorization": f"Bearer {ADMIN}"}
    client = served.clients[0]
    for id, owner in (("west", "ml"), ("far", "ops")):
        document = {"id": id, "status": "live", "tags": ["t"], "clusterMetadata": {"owner": owner, "name": id}}
        document["config"] = {"publicHostname": "w.net", "joinCommand": SECRET}
        assert client.post("/clusters", json=document, headers=admin).status_code == 201
    token = served.tokens["weak"]
    with httpx.Client(base_url=client.base_url, headers={"authorization": f"Bearer {token}"}) as caller:
        yield caller
    for id in ("west", "far"):
        client.delete(f"/clusters/{id}", headers=admin)


def admin_of(weak: httpx.Client) -> httpx.Client:
    return httpx.Client(base_url=weak.base_url, headers={"authorization": f"Bearer {ADMIN}"})


def stored(weak: httpx.Client, id: str = "west") -> Any:
    """All of a document."""
    with admin_of(weak) as admin:
        return admin.get(f"/clusters/{id}").json()


def found(weak: httpx.Client, filter: dict[str, Any]) -> list[str]:
    reply = weak.post("/clusters/query", json={"query": filter})
    assert SECRET not in reply.text
    return [each["id"] for each in reply.json()]


@pytest.mark.parametrize(
    "condition",
    [
        {"$exists": True},
        {"$regex": "^kubeadm"},
        {"$gt": "a"},
        {"$type": "string"},
        {"$in": [SECRET]},
        {"$not": {"$exists": False}},
        {"$elemMatch": {"$exists": True}},
        {"$size": 0},
        {"$all": [SECRET]},
        {"$ne": None},
    ],
)
def test_operators_in_filters_find_nothing_that_is_hidden(weak: httpx.Client, condition: dict[str, Any]) -> None:
    assert found(weak, {PATH: condition}) == []
    assert found(weak, {"config": {"$elemMatch": {"joinCommand": condition}}}) == []
    assert found(weak, {"$nor": [{PATH: condition}], "tags": "t"}) == ["west"]


def test_a_pattern_a_character_at_a_time_learns_no_character(weak: httpx.Client) -> None:
    answers = {weak.post("/clusters/count", json={PATH: {"$regex": f"^{letter}"}}).text for letter in "kabcxyz"}
    assert answers == {'{"count":0}'}


def test_expressions_and_schemas_see_nothing_that_is_hidden(weak: httpx.Client) -> None:
    assert found(weak, {"$expr": {"$eq": [{"$type": f"${PATH}"}, "string"]}}) == []
    assert found(weak, {"$expr": {"$gt": [{"$strLenCP": {"$ifNull": [f"${PATH}", ""]}}, 0]}}) == []
    assert found(weak, {"$jsonSchema": {"properties": {"config": {"required": ["joinCommand"]}}}}) == []


def test_sorts_projections_and_groups_show_nothing_that_is_hidden(weak: httpx.Client) -> None:
    assert found(weak, {"id": "far"}) == []
    for projection in ({PATH: 1}, {"a": f"${PATH}"}, {"config": 1}, {"a": {"$objectToArray": "$config"}}):
        assert SECRET not in weak.post("/clusters/query", json={"query": {}, "projection": projection}).text
    for key in (f"${PATH}", "$config", "$$ROOT"):
        group = [{"$group": {"_id": key, "n": {"$sum": 1}}}]
        assert SECRET not in weak.post("/clusters/aggregate", json=group).text
    pushed = [{"$group": {"_id": None, "all": {"$push": "$$ROOT"}}}]
    assert SECRET not in weak.post("/clusters/aggregate", json=pushed).text
    assert weak.post("/clusters/distinct", json={"key": PATH}).json() == []


def test_a_facet_and_an_explanation_count_what_is_seen(weak: httpx.Client) -> None:
    facet = weak.post("/clusters/facets", json={"query": {}, "facets": [PATH, "status"]}).json()
    assert facet["count"] == 1
    assert facet["facets"][PATH] == {"values": [], "distinct": 0, "missing": 1, "unlisted": 0}
    told = weak.post("/clusters/explain", json={"query": {PATH: SECRET}}).json()
    assert (told["documents"], told["returned"], told["exact"]) == (1, 0, False)


def test_cursors_and_totals_are_of_what_is_seen(weak: httpx.Client) -> None:
    with admin_of(weak) as admin:
        theirs = admin.get("/clusters", params={"limit": "1"})
    reply = weak.get("/clusters", params={"limit": "1", "sort": f"-{PATH}"})
    assert (reply.headers["x-total-count"], [each["id"] for each in reply.json()]) == ("1", ["west"])
    following = theirs.headers["link"].split(";")[0].strip("<>")
    assert weak.get(following).status_code == 400


def test_errors_and_warnings_quote_nothing_that_is_hidden(weak: httpx.Client) -> None:
    for update in ({"$inc": {PATH: 1}}, {"$push": {PATH: 1}}, {"$set": {"status": {"$concat": [f"${PATH}"]}}}):
        reply = weak.put("/clusters/west", json=update)
        assert reply.status_code >= 400
        assert SECRET not in reply.text + str(reply.headers)
    failing = {"$expr": {"$toInt": f"${PATH}"}}
    assert SECRET not in weak.post("/clusters/query", json=failing).text


def test_a_watch_sends_no_event_for_what_is_hidden(weak: httpx.Client) -> None:
    since = stored_revision(weak)
    with admin_of(weak) as admin:
        admin.put("/clusters/west", json={PATH: "another"})
        admin.put("/clusters/far", json={"tags": ["x"]})
        admin.put("/clusters/west", json={"tags": ["seen"]})
        admin.put("/clusters/west", json={"clusterMetadata.owner": "ops"})
    events = []
    while True:
        page = weak.get("/clusters/watch", params={"since": since, "wait": "0s", "as": "both"})
        assert "another" not in page.text
        events += page.json()["events"]
        if page.json()["revision"] >= since + 4:
            break
        since_now = page.json()["revision"]
        if since_now == since:
            break
        since = since_now
    assert [(each["event"], each["id"]) for each in events[-2:]] == [("updated", "west"), ("deleted", "west")]
    assert events[-1]["document"] is None


def stored_revision(weak: httpx.Client) -> int:
    return int(weak.get("/version").headers["x-registry-revision"])


def test_history_shows_no_patch_and_no_version_of_what_is_hidden(weak: httpx.Client) -> None:
    first = stored_revision(weak)
    with admin_of(weak) as admin:
        admin.put("/clusters/west", json={PATH: "another"})
        admin.put("/clusters/west", json={"tags": ["seen"]})
    changes = weak.get("/clusters/west/history", params={"as": "both"})
    assert [each["event"] for each in changes.json()][:2] == ["updated", "created"]
    past = weak.get("/clusters/west", params={"revision": str(first)})
    newest = weak.get("/clusters/west", params={"revision": str(stored_revision(weak))})
    assert newest.json()["tags"] == ["seen"]
    for reply in (changes, past, newest, weak.get("/changes", params={"as": "both"})):
        assert SECRET not in reply.text
        assert "another" not in reply.text
    assert weak.get("/clusters/far/history").status_code == 404


def test_a_secret_is_neither_renamed_copied_nor_erased(weak: httpx.Client) -> None:
    for update in (
        {"$rename": {PATH: "tags"}},
        [{"$set": {"tags": [f"${PATH}"]}}],
        {"$unset": {PATH: ""}},
        [{"$set": {"tags": ["$$ROOT"]}}],
    ):
        reply = weak.put("/clusters/west", json=update)
        assert SECRET not in reply.text
        assert SECRET not in str(stored(weak)["tags"])
        assert stored(weak)["config"]["joinCommand"] == SECRET


def test_a_replaced_object_keeps_what_is_hidden_in_it(served: Twins, weak: httpx.Client) -> None:
    headers = {"authorization": f"Bearer {served.tokens['masked-writer']}"}
    reply = weak.put("/clusters/west", json={"config": {"publicHostname": "new.net"}}, headers=headers)
    assert (reply.status_code, "joinCommand" in reply.json()["config"]) == (200, False)
    assert stored(weak)["config"]["joinCommand"] == SECRET
    for update in ({"$unset": {"config": ""}}, {"config": 5}, {"config": []}):
        weak.put("/clusters/west", json=update, headers=headers)
        assert stored(weak)["config"]["joinCommand"] == SECRET


def test_a_guess_that_is_written_tells_nothing_about_what_was_there(weak: httpx.Client) -> None:
    answers = [weak.put("/clusters/west", json={PATH: guess}) for guess in (SECRET, "wrong")]
    assert [each.status_code for each in answers] == [403, 403]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]
    assert PATH in answers[0].json()["detail"]


def test_a_write_is_judged_by_its_paths_and_clusters_before_it_is_judged_valid(weak: httpx.Client) -> None:
    forbidden = weak.put("/clusters/west", json={"gpus": {"count": "many"}})
    assert (forbidden.status_code, forbidden.json()["code"]) == (403, "permission-denied")
    assert "update" in forbidden.json()["detail"]
    assert weak.put("/clusters/west", json={"tags": ["mine"]}).status_code == 200
    assert weak.put("/clusters/far", json={"tags": ["mine"]}).status_code == 404
    assert weak.delete("/clusters/west").status_code == 403


def test_a_restored_cluster_comes_back_with_what_is_hidden_and_shows_none_of_it(
    served: Twins, weak: httpx.Client
) -> None:
    headers = {"authorization": f"Bearer {served.tokens['masked-writer']}"}
    assert weak.delete("/clusters/west", headers=headers).status_code == 200
    reply = weak.post("/clusters/west/restore", headers=headers)
    assert reply.status_code == 200
    assert SECRET not in reply.text
    assert stored(weak)["config"]["joinCommand"] == SECRET


def test_a_version_is_restored_by_the_measure_of_what_is_seen(served: Twins, weak: httpx.Client) -> None:
    with admin_of(weak) as admin:
        created = admin.post("/clusters", json=cluster("gone"))
        admin.delete("/clusters/gone").raise_for_status()
    headers = {"authorization": f"Bearer {served.tokens['blind-restorer']}"}
    asked = {"revision": int(created.headers["etag"].strip('"'))}
    reply = weak.post("/clusters/gone/restore", json=asked, headers=headers)
    assert (reply.status_code, "regionId" in reply.text) == (200, False), reply.text
    assert stored(weak, "gone")["regionId"] == created.json()["regionId"]


def test_a_rehearsal_shows_no_difference_in_what_is_hidden(weak: httpx.Client) -> None:
    reply = weak.put("/clusters/west?dryRun=true", json={"tags": ["rehearsed"]})
    assert reply.status_code == 200
    assert {each["path"].split("/")[1] for each in reply.json()["diff"]} == {"tags"}


def test_an_export_holds_nothing_that_is_hidden(weak: httpx.Client) -> None:
    for accept in ("application/x-ndjson", "application/json"):
        reply = weak.post("/clusters/query", json={}, headers={"accept": accept})
        assert reply.status_code == 200
        assert SECRET not in reply.text
        assert "far" not in [
            each["id"] for each in map(orjson.loads, reply.text.splitlines()) if isinstance(each, dict)
        ]
    for accept in ("text/csv", "application/json"):
        table = weak.post("/clusters/table", json={"columns": ["id", PATH]}, headers={"accept": accept})
        assert (table.status_code, SECRET in table.text) == (200, False)


def test_a_webhook_of_a_weaker_role_is_sent_what_that_role_sees(weak: httpx.Client) -> None:
    with target() as receiver, admin_of(weak) as admin:
        url = f"http://127.0.0.1:{receiver.port}/"
        strong = admin.post("/webhooks", json={"id": "strong", "url": url, "as": "both"})
        made = weak.post("/webhooks", json={"id": "weak", "url": url, "as": "both"})
        assert (strong.status_code, made.status_code) == (201, 201)
        assert [each["id"] for each in weak.get("/webhooks").json()] == ["weak"]
        assert weak.patch("/webhooks/strong", json={"url": url}).status_code == 404
        admin.put("/clusters/west", json={PATH: "another"})
        admin.put("/clusters/far", json={"tags": ["x"]})
        revision = int(admin.put("/clusters/west", json={"tags": ["seen"]}).headers["etag"].strip('"'))
        sent = sent_to(receiver, 4)
        assert admin.delete("/webhooks/weak").status_code == admin.delete("/webhooks/strong").status_code == 200
    veiled = [each for each in sent if SECRET not in each and "another" not in each]
    assert [orjson.loads(each)["revision"] for each in veiled if "seen" in each] == [revision]
    assert len(sent) == 4


def sent_to(receiver: Target, count: int) -> list[str]:
    """What a target was sent."""
    return [each.body.decode() for each in receiver.wait_for(count)]


def test_heartbeats_are_heard_where_the_role_says_so(served: Twins, weak: httpx.Client) -> None:
    onlooker = {"authorization": f"Bearer {served.tokens['onlooker']}"}
    silent = weak.post("/clusters/west/heartbeat", json={"status": "draining"}, headers=onlooker)
    assert (silent.status_code, "status" in silent.json()["detail"]) == (403, True)
    with admin_of(weak) as admin:  # it was not heard at all
        assert admin.get("/clusters/west?include=registry").json()["_registry"]["liveness"] == "unknown"
    assert weak.post("/clusters/west/heartbeat", json={"status": "live"}).status_code == 200
    assert weak.post("/clusters/far/heartbeat").status_code == 404
    refused = weak.post("/clusters/far/heartbeat", headers=onlooker)
    assert (refused.status_code, "heartbeat" in refused.json()["detail"]) == (403, True)
    with admin_of(weak) as admin:
        facts = admin.get("/clusters/far?include=registry").json()["_registry"]
    assert facts["liveness"] == "unknown"


def test_what_heartbeats_say_of_hidden_nodes_is_hidden(served: Twins, weak: httpx.Client) -> None:
    onlooker = {"authorization": f"Bearer {served.tokens['onlooker']}"}
    with admin_of(weak) as admin:
        node = {"id": "n1", "gpus": {"count": 0}}
        assert admin.post("/clusters/west/nodes", json=node).status_code == 201
        assert admin.post("/clusters/west/heartbeat", json={"nodes": ["n1"]}).json().get("unknownNodes") is None
        assert admin.get("/clusters/west?include=registry").json()["_registry"]["nodes"][0]["id"] == "n1"
    assert "nodes" not in weak.get("/clusters/west?include=registry", headers=onlooker).json()["_registry"]
    asked = {"query": {"_registry.nodes.id": "n1"}}
    assert weak.post("/clusters/count", json=asked, headers=onlooker).json() == {"count": 0}
    assert weak.post("/clusters/count", json=asked).json() == {"count": 1}
    heard = weak.post("/clusters/west/heartbeat", json={"nodes": ["n1", "n2"]}, headers=onlooker)
    assert heard.json()["unknownNodes"] == ["n1", "n2"]


def test_a_new_cluster_is_judged_by_permission_before_validity(served: Twins, weak: httpx.Client) -> None:
    onlooker = {"authorization": f"Bearer {served.tokens['onlooker']}"}
    theirs = {"id": "new", "clusterMetadata": {"owner": "ops"}, "status": 5}
    mine = {"id": "new", "clusterMetadata": {"owner": "ml"}, "status": 5}
    assert weak.post("/clusters", json=theirs, headers=onlooker).status_code == 403
    assert weak.post("/clusters", json=mine, headers=onlooker).status_code == 422
    assert weak.post("/clusters", json={**theirs, "status": "live"}, headers=onlooker).status_code == 403
    taken = weak.post("/clusters", json={"id": "far", "clusterMetadata": {"owner": "ml"}}, headers=onlooker)
    assert taken.status_code == 409


def test_a_cluster_can_not_be_moved_out_of_what_a_role_may_write(weak: httpx.Client, served: Twins) -> None:
    onlooker = {"authorization": f"Bearer {served.tokens['onlooker']}"}
    moved = weak.put("/clusters/west", json={"clusterMetadata.owner": "ops"}, headers=onlooker)
    assert moved.status_code == 403
    assert weak.put("/clusters/west", json={"clusterMetadata.name": "new"}, headers=onlooker).status_code == 200
    assert weak.put("/clusters/far", json={"tags": []}, headers=onlooker).status_code == 403
    unveiled = {"authorization": f"Bearer {served.tokens['unveiled']}"}
    for update, status in (({"clusterMetadata.owner": "ops"}, 403), ({"clusterMetadata.name": "x"}, 200)):
        assert weak.put("/clusters/west", json=update, headers=unveiled).status_code == status


def test_a_cluster_is_deleted_only_where_a_rule_with_that_verb_is_about_it(weak: httpx.Client, served: Twins) -> None:
    headers = {"authorization": f"Bearer {served.tokens['remover']}"}
    with httpx.Client(base_url=weak.base_url, headers=headers) as remover:
        assert remover.delete("/clusters/far").status_code == 403
        assert remover.delete("/clusters/west").status_code == 200


def test_an_upsert_needs_the_verb_that_creates(weak: httpx.Client) -> None:
    reply = weak.put("/clusters/brand-new", json={"tags": ["x"]}, params={"upsert": "true"})
    assert (reply.status_code, "create" in reply.json()["detail"]) == (403, True)


def test_the_past_of_a_cluster_that_left_sight_is_seen_as_far_as_it_was_in_it(weak: httpx.Client) -> None:
    first = stored_revision(weak)
    with admin_of(weak) as admin:
        admin.put("/clusters/west", json={"clusterMetadata.owner": "ops"})
    assert weak.get("/clusters/west").status_code == 404
    assert weak.get("/clusters/west", params={"revision": str(first)}).status_code == 200
    assert [each["event"] for each in weak.get("/clusters/west/history").json()][:1] == ["deleted"]
    assert (
        weak.get("/clusters/never").json()["detail"].replace("never", "far")
        == (weak.get("/clusters/far").json()["detail"])
    )
    past = {"query": {}}, {"revision": str(first)}
    assert [each["id"] for each in weak.post("/clusters/query", json=past[0], params=past[1]).json()] == ["west"]


def test_a_query_can_not_be_explained_without_the_verb(served: Twins, weak: httpx.Client) -> None:
    headers = {"authorization": f"Bearer {served.tokens['masked-writer']}"}
    for path, body in (("query", {"query": {}, "explain": True}), ("explain", {"query": {}})):
        assert weak.post(f"/clusters/{path}", json=body, headers=headers).status_code == 403


def test_a_request_about_a_hidden_path_is_answered_with_a_note(weak: httpx.Client) -> None:
    asked: list[tuple[str, Any]] = [
        ("query", {"query": {PATH: SECRET}}),
        ("query", {"query": {}, "sort": {PATH: 1}}),
        ("count", {PATH: SECRET}),
        ("facets", {"query": {}, "facets": [PATH]}),
        ("distinct", {"key": PATH}),
        ("aggregate", [{"$match": {PATH: SECRET}}]),
    ]
    for path, body in asked:
        assert PATH in weak.post(f"/clusters/{path}", json=body).headers["warning"]
    assert "warning" not in weak.post("/clusters/query", json={"query": {"status": "live"}}).headers
    with admin_of(weak) as admin:
        assert "warning" not in admin.post("/clusters/query", json={"query": {PATH: SECRET}}).headers
