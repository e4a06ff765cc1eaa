"""What the server says about itself: a welcome, versions, the description of its API, and the schema of a cluster."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from rollbook import __version__
from rollbook.api.declarations import Operation
from rollbook.api.handlers.about import prefers_html
from rollbook.api.operations import OPERATIONS
from rollbook.api.parameters import taken_by
from rollbook.api.problems import STATUSES
from rollbook.clusters.schema import CLUSTER
from rollbook.errors import RegistryError
from rollbook.language.filters import tables as filter_tables
from rollbook.language.updates import table as update_table
from tests.api.specified import EXAMPLE
from tests.examples import cluster


@pytest.fixture(scope="module")
def description(http: httpx.Client) -> dict:
    reply = http.get("/openapi.json")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    return reply.json()


def test_the_description_is_valid_openapi_3_1(description: dict) -> None:
    validate(description)
    assert description["openapi"].startswith("3.1")
    assert description["info"]["version"] == __version__


def test_the_description_has_every_operation_and_nothing_else(description: dict) -> None:
    described = {
        (method.upper(), path): operation["operationId"]
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    }
    assert described == {(each.method, each.template): each.name for each in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_is_described_in_full(description: dict, operation: Operation) -> None:
    described = description["paths"][operation.template][operation.method.lower()]
    assert described["summary"]
    assert described.get("x-rollbook-verb") == operation.verb
    for each in described["parameters"]:
        assert each["description"], each["name"]
    in_query = {each["name"] for each in described["parameters"] if each["in"] == "query"}
    assert in_query == {each.name for each in taken_by(operation)}
    assert ("requestBody" in described) == (operation.body is not None)
    declared = {answer.status for answer in operation.answers} | {STATUSES[kind] for kind in operation.refuses}
    assert declared <= {int(status) for status in described["responses"]}
    assert {"400", "405", "408", "413", "415", "431", "500", "503"} <= described["responses"].keys()


def test_problems_are_described_by_their_codes(description: dict) -> None:
    def tree(kind: type[RegistryError]) -> set[str]:
        return {kind.code}.union(*map(tree, kind.__subclasses__()))

    assert set(description["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]) == tree(RegistryError)
    read = description["paths"]["/clusters/{id}"]["get"]["responses"]["404"]
    assert "`cluster-not-found`: No cluster has this id." in read["description"]


def test_every_operator_of_filters_and_updates_is_described(description: dict) -> None:
    schemas = description["components"]["schemas"]
    conditions = schemas["Condition"]["anyOf"][0]["properties"]
    assert conditions.keys() == {*filter_tables.OPERATORS, *filter_tables.FORMS}
    assert filter_tables.TOP_FORMS.keys() <= schemas["Filter"]["properties"].keys()
    updates = schemas["Update"]["anyOf"][0]["properties"]
    assert updates.keys() >= update_table.OPERATORS.keys()
    for operators in (conditions, updates):
        assert [name for name, schema in operators.items() if not schema["description"]] == []


def test_every_reference_of_the_description_leads_somewhere(description: dict) -> None:
    def references(value: object) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    for each in references(description):
        place = description
        for key in each.removeprefix("#/").split("/"):
            place = place[key]


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.body], ids=lambda operation: operation.name)
def test_the_example_of_a_body_follows_its_schema(description: dict, operation: Operation) -> None:
    schema = {**operation.body.schema, "components": description["components"]}
    assert [error.message for error in OAS31Validator(schema).iter_errors(operation.body.example)] == []


def test_the_specified_example_follows_the_schema_of_clusters(http: httpx.Client) -> None:
    reply = http.get("/schema")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/schema+json")
    schema = reply.json()
    assert schema["properties"].keys() == CLUSTER.members.keys()
    validator = OAS31Validator(schema)
    for document in (EXAMPLE, cluster("west")):
        assert list(validator.iter_errors(document)) == []
    for broken in ({}, {**EXAMPLE, "id": "query"}, {**EXAMPLE, "id": "a b"}, {**EXAMPLE, "tags": "gpu"}):
        assert list(validator.iter_errors(broken)) != []


def test_the_version_is_that_of_the_health_check(http: httpx.Client) -> None:
    assert http.get("/version").json() == {"name": "Rollbook", "version": __version__, "api": "1"}
    assert http.get("/healthz").json()["version"] == __version__


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/html", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/html;q=0.5, application/json", False),
        ("text/html;q=0", False),
        ("TEXT/HTML;q=1.0, application/json;q=0.9", True),
        ("text/html;q=nonsense", False),
    ],
)
def test_the_welcome_is_a_page_for_those_who_prefer_pages(http: httpx.Client, accept: str, html: bool) -> None:
    assert prefers_html(accept) == html
    reply = http.get("/", headers={"accept": accept})
    assert (reply.status_code, reply.headers["vary"].partition(",")[0]) == (200, "accept")
    assert reply.headers["content-type"].startswith("text/html" if html else "application/json")


def test_every_link_of_the_welcome_leads_somewhere(http: httpx.Client) -> None:
    welcome = http.get("/").json()
    assert welcome["version"] == __version__
    assert {http.get(address).status_code for address in welcome["links"].values()} == {200}


class Page(HTMLParser):
    """What a page would load or run, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        self.ids |= {value or "" for name, value in attributes if name == "id"}
        self.links |= {value or "" for name, value in attributes if name == "href"}


def test_the_reference_loads_nothing_and_its_policy_allows_its_style_alone(http: httpx.Client) -> None:
    reply = http.get("/docs", headers={"accept": "text/html"})
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    page = Page()
    page.feed(reply.text)
    assert page.tags.isdisjoint({"script", "link", "img", "iframe", "object", "form", "base"})
    assert page.attributes.isdisjoint({"src", "style", "onclick", "onload"})
    style = re.search(r"<style>(.*?)</style>", reply.text, re.DOTALL)[1]
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = reply.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{hashed}';")
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert {link for link in page.links if not link.startswith(("#", "/"))} == set()
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= page.ids


def test_the_page_shows_every_operation(http: httpx.Client) -> None:
    page = Page()
    page.feed(http.get("/docs").text)
    assert {operation.name for operation in OPERATIONS} <= page.ids
