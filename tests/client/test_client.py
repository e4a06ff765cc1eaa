"""The client returns what the registry answers and raises what it refuses with. The registry here is a script."""

import httpx2
import pytest

from rollbook.client import NEVER, Client, Reply
from rollbook.client.replies import ERRORS
from rollbook.errors import (
    ClusterNotFound,
    DocumentInvalid,
    FilterRefused,
    Problem,
    RegistryError,
    RegistryUnreachable,
    SettingRefused,
)


def client_that_gets(*args, asked=None, **kwargs) -> Client:
    """A client whose registry gives one answer to everything and notes what it was asked in ``asked``."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if asked is not None:
            asked.append(request)
        return httpx2.Response(*args, **kwargs)

    return Client("http://reader:secret@registry:3000/base", retries=NEVER, transport=httpx2.MockTransport(answer))


def refusal(status: int, code: str, detail: str, **more) -> dict:
    return {"status_code": status, "json": {"code": code, "detail": detail, "error": detail, **more}}


def test_a_document_comes_with_its_tag_and_warnings() -> None:
    headers = [("etag", '"7"'), ("warning", r'299 rollbook "say \"swap\""'), ("warning", '299 - "and tags"')]
    assert client_that_gets(200, json={"id": "west"}, headers=headers).clusters.read("west") == Reply(
        {"id": "west"}, '"7"', ('say "swap"', "and tags")
    )


def test_what_is_asked_is_what_the_method_says() -> None:
    asked: list[httpx2.Request] = []
    client = client_that_gets(200, json={}, asked=asked)
    client.clusters.create({"id": "west"})
    client.clusters.update("a/b?", {"$set": {"swap": 1}}, if_match='"7"')
    client.clusters.delete("west")
    assert [(each.method, each.url.raw_path, each.content) for each in asked] == [
        ("POST", b"/base/clusters", b'{"id":"west"}'),
        ("PUT", b"/base/clusters/a%2Fb%3F", b'{"$set":{"swap":1}}'),
        ("DELETE", b"/base/clusters/west", b""),
    ]
    assert asked[1].headers["if-match"] == '"7"'
    assert "if-match" not in asked[2].headers


def test_a_refusal_raises_the_class_of_its_code() -> None:
    with pytest.raises(ClusterNotFound, match="no cluster has the id 'east'"):
        client_that_gets(**refusal(404, "cluster-not-found", "no cluster has the id 'east'")).clusters.read("east")


def test_every_error_of_the_tree_can_be_raised() -> None:
    assert set(ERRORS.values()) >= set(RegistryError.__subclasses__()) | {FilterRefused, DocumentInvalid}


def test_a_refusal_keeps_its_problems() -> None:
    problems = [{"at": "/swap", "problem": "is negative"}, {"at": "/id", "problem": "is missing"}]
    with pytest.raises(DocumentInvalid) as refused:
        client_that_gets(**refusal(422, "document-invalid", "two problems", errors=problems)).clusters.create({})
    assert refused.value.problems == (Problem("/swap", "is negative"), Problem("/id", "is missing"))


def test_a_refusal_at_one_place_keeps_the_place_and_mongodb_s_code() -> None:
    answer = refusal(400, "filter-refused", "no $", errors=[{"at": "/a", "problem": "no $"}], mongoCode=2)
    with pytest.raises(FilterRefused) as refused:
        list(client_that_gets(**answer).clusters.query({"a": {"$x": 1}}))
    assert (refused.value.at, refused.value.mongo_code, refused.value.problems) == ("/a", 2, ())


def test_a_refusal_of_an_older_registry_is_told_in_its_words() -> None:
    with pytest.raises(RegistryError, match="Cluster not found"):
        client_that_gets(404, json={"error": "Cluster not found"}).clusters.read("east")


@pytest.mark.parametrize(
    "answer",
    [
        {"status_code": 502, "text": "<html>Bad Gateway</html>"},
        {"status_code": 200, "text": "<html>Welcome</html>"},
        {"status_code": 200, "json": [1, 2]},
        {"status_code": 404, "json": {"message": "no such page"}},
        {"status_code": 301, "headers": {"location": "/elsewhere"}},
    ],
    ids=["error page", "page", "array", "foreign json", "redirect"],
)
def test_what_no_registry_answers_is_told_without_the_password(answer) -> None:
    with pytest.raises(RegistryUnreachable, match="is this the address of a registry") as refused:
        client_that_gets(**answer).clusters.read("west")
    assert "registry" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_query_yields_documents_and_sends_its_options_beside_the_filter() -> None:
    asked: list[httpx2.Request] = []
    client = client_that_gets(200, json=[{"id": "a"}, {"id": "b"}], asked=asked)
    assert list(client.clusters.query({"swap": 0}, limit=2)) == [{"id": "a"}, {"id": "b"}]
    assert asked[0].content == b'{"query":{"swap":0},"limit":2}'


def test_a_closed_port_is_a_registry_that_can_not_be_reached() -> None:
    with (
        Client("http://127.0.0.1:9", timeout_seconds=5) as client,
        pytest.raises(RegistryUnreachable, match="no connection to http://127"),
    ):
        client.clusters.read("west")


def test_an_answer_that_stays_out_leaves_the_outcome_open() -> None:
    def silent(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("timed out", request=request)

    client = Client("http://registry", retries=NEVER, transport=httpx2.MockTransport(silent))
    with pytest.raises(RegistryUnreachable, match="what was asked may have been done: timed out"):
        client.clusters.delete("west")


@pytest.mark.parametrize("url", ["localhost:3000", "", "ftp://registry", "http://", "http://a:b:c", "registry"])
def test_an_address_that_is_no_url_is_refused(url) -> None:
    with pytest.raises(SettingRefused, match="the address of a registry must"):
        Client(url)


def test_the_reason_of_a_write_travels_in_any_alphabet() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(201, json={})

    Client(
        "http://registry", reason="Überholung", retries=NEVER, transport=httpx2.MockTransport(answer)
    ).clusters.create({})
    assert asked[0].headers["x-reason"] == "%C3%9Cberholung"
