"""The list of clusters over HTTP: parameters, pages, headers; and filters in words where bodies take filters."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api.test_refusals import refusal
from tests.examples import cluster, node
from tests.serving import ServerProcess

METADATA = {"name": "Vision", "description": "For images", "owner": "Team A", "countries": ["US", "CA"]}


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Three clusters, of which one sends heartbeats."""
    with ServerProcess(tmp_path_factory.mktemp("lists") / "data") as server, httpx.Client(base_url=server.url) as http:
        west = cluster("west", node(gpus=8, model="A100"), tags=["ml", "gpu"], reputation=3, clusterMetadata=METADATA)
        for each in (west, cluster("east", regionId="us-east-1", reputation=5), cluster("idle", status="draining")):
            assert http.post("/clusters", json=each).status_code == 201
        http.post("/clusters/east/heartbeat", json={"ttlSeconds": 3600})
        yield http


def refused_at(at: str, code: str, reply: httpx.Response) -> None:
    assert refusal(reply, 400, code)["errors"][0]["at"] == at


def listed(http: httpx.Client, **parameters: str) -> list[str]:
    reply = http.get("/clusters", params=parameters)
    assert reply.status_code == 200, reply.text
    found = [each["id"] for each in reply.json()]
    assert reply.headers["x-total-count"] == str(len(found))
    return found


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, ["west", "east", "idle"]),
        ({"status": "live"}, ["west", "east"]),
        ({"status": "draining,live", "region": "us-west-2"}, ["west", "idle"]),
        ({"tag": "ml"}, ["west"]),
        ({"owner": "Team A"}, ["west"]),
        ({"country": "CA"}, ["west"]),
        ({"gpu": "nvidia a100"}, ["west", "east", "idle"]),
        ({"gpu": "A100", "minGpus": "8"}, ["west"]),
        ({"gpu": "H100"}, []),
        ({"minGpus": "0"}, ["west", "east", "idle"]),
        ({"liveness": "alive"}, ["east"]),
        ({"liveness": "unknown,silent"}, ["west", "idle"]),
        ({"q": "VISION images"}, ["west"]),
        ({"q": "vision nobody"}, []),
        ({"q": "."}, []),
        ({"filter": '{"gpus.count": {"$gt": "2"}}'}, ["west"]),
        ({"where": "gpus < 8 and not status = draining"}, ["east"]),
        ({"where": "us-west live", "filter": '{"tags": "ml"}'}, ["west"]),
        ({"sort": "-id"}, ["west", "idle", "east"]),
        ({"sort": "-reputation,id"}, ["east", "west", "idle"]),
        ({"sort": "-_registry.revision"}, ["idle", "east", "west"]),
    ],
)
def test_parameters_say_which_clusters_are_listed(http: httpx.Client, parameters: dict, found: list[str]) -> None:
    assert listed(http, **parameters) == found


def test_a_parameter_draws_no_warning_about_its_own_paths(http: httpx.Client) -> None:
    assert "warning" not in http.get("/clusters", params={"gpu": "GH200"}).headers


def test_a_list_shows_the_fields_that_are_asked_for(http: httpx.Client) -> None:
    reply = http.get("/clusters", params={"fields": "gpus.count,_registry.liveness", "status": "live"})
    assert reply.json() == [
        {"id": "west", "gpus": {"count": 8}, "_registry": {"liveness": "unknown"}},
        {"id": "east", "gpus": {"count": 2}, "_registry": {"liveness": "alive"}},
    ]
    assert http.get("/clusters/west", params={"fields": "tags"}).json() == {"id": "west", "tags": ["ml", "gpu"]}
    assert "etag" not in http.get("/clusters/west", params={"fields": "tags"}).headers
    assert http.get("/clusters", params={"include": "registry"}).json()[0]["_registry"]["liveness"] == "unknown"


def test_links_lead_from_page_to_page(http: httpx.Client) -> None:
    target, found = "/clusters?limit=2&sort=id&status=live,draining", []
    first = http.get(target)
    while target:
        reply = http.get(target)
        found.append([each["id"] for each in reply.json()])
        assert reply.headers["x-total-count"] == "3"
        assert reply.links["first"]["url"] == "/clusters?limit=2&sort=id&status=live%2Cdraining"
        target = reply.links.get("next", {}).get("url")
    assert found == [["east", "idle"], ["west"]]
    head = http.head("/clusters?limit=2")
    assert (head.status_code, head.content, head.headers["x-total-count"]) == (200, b"", "3")
    lines = http.get("/clusters?limit=2", headers={"accept": "application/x-ndjson"})
    assert lines.text.count("\n") == 2
    assert first.headers["x-registry-revision"] == "3"


def test_pages_of_a_moment_are_of_that_moment(http: httpx.Client) -> None:
    assert [each["id"] for each in http.get("/clusters?revision=1").json()] == ["west"]
    second = http.get(http.get("/clusters?revision=2&limit=1").links["next"]["url"])
    assert [each["id"] for each in second.json()] == ["east"]
    assert second.headers["x-registry-revision"] == "2"
    other = second.request.url.copy_set_param("revision", "3")
    refusal(http.get(other), 400, "cursor-refused")


def test_a_query_is_answered_in_pages_where_a_cursor_asks_for_them(http: httpx.Client) -> None:
    body = {"query": {"status": "live"}, "sort": {"id": 1}, "limit": 1, "cursor": None}
    first = http.post("/clusters/query", json=body)
    assert [each["id"] for each in first.json()] == ["east"]
    assert first.headers["x-total-count"] == "2"
    address = first.links["next"]["url"]
    assert [each["id"] for each in http.post(address, json=body).json()] == ["west"]
    cursor = httpx.URL(address).params["cursor"]
    assert [each["id"] for each in http.post("/clusters/query", json={**body, "cursor": cursor}).json()] == ["west"]
    refused_at("/cursor", "language-refused", http.post(address, json={**body, "cursor": cursor}))
    refused_at("/limit", "language-refused", http.post("/clusters/query", json={**body, "limit": 5000}))
    refused_at("/skip", "language-refused", http.post("/clusters/query", json={**body, "skip": 1}))
    refused_at("/cursor", "language-refused", http.post("/clusters/query", json={**body, "cursor": 5}))
    whole = http.post("/clusters/query", json={"query": {"status": "live"}})
    assert len(whole.json()) == 2
    assert "link" not in whole.headers


@pytest.mark.parametrize(
    ("parameters", "code", "says"),
    [
        ({"where": "statuss = live"}, "filter-refused", "column 1: there is no field 'statuss'; did you mean 'status'"),
        ({"where": "_registry.livenes = alive"}, "filter-refused", 'did you mean "liveness"'),
        ({"filter": "[]"}, "filter-refused", "object"),
        ({"status": ""}, "request-refused", "status is empty"),
        ({"where": ""}, "request-refused", "where is empty"),
        ({"liveness": "live"}, "request-refused", "liveness"),
        ({"minGpus": "-1"}, "request-refused", "minGpus"),
        ({"limit": "1001"}, "request-refused", "1 to 1000"),
        ({"stauts": "live"}, "request-refused", "did you mean 'status'"),
        ({"cursor": "AAAA"}, "cursor-refused", "no cursor of this registry"),
        ({"cursor": "ä"}, "cursor-refused", "no cursor of this registry"),
        ({"fields": "$a"}, "projection-refused", ""),
    ],
)
def test_what_a_list_does_not_understand_is_refused(http: httpx.Client, parameters: dict, code: str, says: str) -> None:
    reply = http.get("/clusters", params=parameters)
    refusal(reply, 400, code)
    assert says in reply.json()["detail"]


WORDS = "us-west live"


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("query", {"projection": {"id": 1}}, [{"id": "west"}]),
        ("query", {"projection": {"id": 1}, "cursor": None}, [{"id": "west"}]),
        ("count", {}, {"count": 1}),
        ("distinct", {"key": "id"}, ["west"]),
    ],
)
def test_a_filter_may_be_in_words_wherever_it_stands_beside_options(
    http: httpx.Client, path: str, body: dict, answer: object
) -> None:
    assert http.post(f"/clusters/{path}", json={"where": WORDS, **body}).json() == answer
    assert http.post("/clusters/facets", json={"where": WORDS, "facets": ["id"]}).json()["count"] == 1
    refused = http.post(f"/clusters/{path}", json={"where": "live and or", **body})
    refused_at("/where", "filter-refused", refused)
    assert "column 10" in refused.json()["detail"]
    refused_at("/where", "filter-refused", http.post(f"/clusters/{path}", json={"where": 5, **body}))
    both = http.post(f"/clusters/{path}", json={"where": WORDS, "query": {}, **body})
    refused_at("/where", "filter-refused", both)


def test_a_table_has_a_column_for_each_path(http: httpx.Client) -> None:
    asked = {"columns": ["id", "gpus.count", "tags", "_registry.liveness"], "where": "live", "sort": {"id": 1}}
    reply = http.post("/clusters/table", json=asked)
    assert reply.json() == {
        "revision": 3,
        "count": 2,
        "columns": {
            "id": {"values": ["east", "west"]},
            "gpus.count": {"values": [2, 8]},
            "tags": {"dictionary": ["gpu", "ml"], "lengths": [1, 2], "codes": [0, 0, 1]},
            "_registry.liveness": {"values": ["alive", "unknown"]},
        },
    }
    assert reply.headers["x-registry-revision"] == "3"
    page = http.post("/clusters/table", json={**asked, "limit": 1, "cursor": None})
    assert page.json()["columns"]["id"] == {"values": ["east"]}
    assert page.headers["x-total-count"] == "2"
    following = http.post(page.links["next"]["url"], json={**asked, "limit": 1})
    assert following.json()["columns"]["id"] == {"values": ["west"]}
    past = http.post("/clusters/table", json={"columns": ["id"]}, params={"revision": "1"})
    assert past.json()["columns"] == {"id": {"values": ["west"]}}


def test_a_table_comes_as_csv_or_as_lines(http: httpx.Client) -> None:
    asked = {"columns": ["id", "tags", "reputation", "config.useGateway"], "sort": {"id": 1}}
    written = http.post("/clusters/table", json=asked, headers={"accept": "text/csv"})
    assert written.headers["content-type"].startswith("text/csv")
    assert written.text == (
        "id,tags,reputation,config.useGateway\r\n"
        'east,"[""gpu""]",5,true\r\n'
        'idle,"[""gpu""]",,true\r\n'
        'west,"[""gpu"",""ml""]",3,true\r\n'
    )
    lines = http.post("/clusters/table", json=asked, headers={"accept": "application/x-ndjson"})
    assert lines.text.splitlines()[2] == '{"id":"west","tags":["gpu","ml"],"reputation":3,"config.useGateway":true}'


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, "/columns"),
        ({"columns": []}, "/columns"),
        ({"columns": ["id", "$a"]}, "/columns/1"),
        ({"columns": ["_registry.made"]}, "/columns/_registry.made"),
        ({"columns": ["id"], "skip": 1}, "/skip"),
        ({"columns": ["id"], "limit": -1}, "/limit"),
    ],
)
def test_what_is_no_table_is_refused(http: httpx.Client, body: object, at: str) -> None:
    refused_at(at, "language-refused", http.post("/clusters/table", json=body))
