"""The console as operators use it: on-boarding, webhooks, commands to copy, undo, and fleets of all sizes."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.console.conftest import Window
from tests.serving import ServerProcess
from tests.webhooks.receiving import Target


def shell(command: str, tmp_path: Path) -> str:
    """What a copied command prints, as a person runs it: with ``rollbook`` and ``python`` on the path."""
    tools = tmp_path / "bin"
    tools.mkdir(exist_ok=True)
    for name, module in (("rollbook", "-m rollbook"), ("python", "")):
        (tools / name).write_text(f'#!/bin/sh\nexec {sys.executable} {module} "$@"\n')
        (tools / name).chmod(0o755)
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(tmp_path)}
    run = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def copied(page: Page, label: str) -> str:
    """The text that a copy button copies, which is also its title."""
    text = page.get_by_role("button", name=label, exact=True).first.get_attribute("title")
    assert text
    return text


@pytest.mark.parametrize(
    "asked", ["a100 us-west gpus>=8", '{"tags": "rack-3", "regionId": {"$ne": "it\'s"}}', "live -draining"]
)
def test_copied_commands_of_a_search_find_what_the_page_shows(
    window: Window, server: ServerProcess, tmp_path: Path, asked: str
) -> None:
    question = json.loads(asked) if asked.startswith("{") else {"where": asked}
    count = httpx.post(f"{server.url}/clusters/count", json=question).json()["count"]
    page = window.open("/console/clusters")
    page.get_by_role("searchbox").fill(asked)
    shown = page.get_by_role("status").filter(has_text=re.compile(f"^{count} of "))
    expect(shown).to_be_visible()

    found = json.loads(shell(copied(page, "Copy curl"), tmp_path))
    listed = shell(copied(page, "Copy CLI") + " -o name", tmp_path).split()
    assert listed == sorted(each["id"] for each in found)
    assert len(found) == count


def test_copied_commands_of_a_number_give_it(window: Window, tmp_path: Path) -> None:
    page = window.open("/console")
    box = page.locator("details", has=page.get_by_label("Where the number of GPUs comes from"))
    box.locator("summary").click()
    texts = {each: box.get_by_role("button", name=each).get_attribute("title") or "" for each in COPIES}
    shown = page.locator("dd").nth(2).inner_text()

    for label, command in texts.items():
        run = f"python - <<'END'\n{command}\nEND" if label == "Copy Python" else command
        assert f'"gpus":{shown}' in shell(run, tmp_path).replace(" ", "").replace("\n", "")

    box.get_by_role("link", name="Open as query").click()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("pre")).to_contain_text(f'"gpus": {shown}')


COPIES = ("Copy curl", "Copy Python", "Copy CLI")


def test_a_cluster_is_on_boarded_with_a_dry_run(window: Window, server: ServerProcess) -> None:
    page = window.open("/console/clusters?new=1")
    dialog = page.get_by_role("dialog", name="Create a cluster")
    text = dialog.get_by_label("Document (JSON)")
    text.fill(text.input_value().replace("my-cluster", "on-boarded").replace('"us-west-2"', "7"))
    expect(dialog.get_by_text("/regionId")).to_be_visible()
    dialog.get_by_role("button", name="Create", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("regionId")

    text.fill(text.input_value().replace(": 7", ': "us-west-2"'))
    dialog.get_by_role("button", name="Try (dry run)").click()
    expect(dialog.get_by_role("region", name="Dry run")).to_contain_text('"status": "registered"')
    assert httpx.get(f"{server.url}/clusters/on-boarded").status_code == 404

    dialog.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="my cluster")).to_be_visible()
    httpx.delete(f"{server.url}/clusters/on-boarded").raise_for_status()


def test_names_of_the_schema_are_offered_while_typing(window: Window) -> None:
    page = window.open("/console/clusters/cluster-030?tab=json")
    text = page.get_by_label("The document as JSON")
    expect(text).to_have_value(re.compile('"reputation"|"id"'))
    page.wait_for_timeout(200)
    text.fill('{"clus')
    text.press("Control+ ")
    expect(page.get_by_role("option", name="clusterMetadata")).to_be_visible()
    text.press("Enter")
    expect(text).to_have_value('{"clusterMetadata": ')
    expect(page.get_by_label("What is amiss")).to_contain_text("ends too early")


def test_a_change_is_undone_unless_another_came_after(window: Window, server: ServerProcess) -> None:
    page = window.open("/console/clusters/cluster-031")
    page.get_by_label("Set the status").select_option("draining")
    expect(page.get_by_text("cluster-031 is draining.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone")).to_be_visible()
    assert httpx.get(f"{server.url}/clusters/cluster-031").json()["status"] == "live"

    page.get_by_label("Set the status").select_option("maintenance")
    expect(page.get_by_text("cluster-031 is maintenance.")).to_be_visible()
    httpx.put(f"{server.url}/clusters/cluster-031", json={"$set": {"reputation": 3}}).raise_for_status()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("alert")).to_contain_text("precondition-failed")
    assert httpx.get(f"{server.url}/clusters/cluster-031").json()["reputation"] == 3


def test_changes_are_narrowed_looked_at_and_undone(window: Window, server: ServerProcess) -> None:
    for status in ("draining", "maintenance"):
        httpx.put(f"{server.url}/clusters/cluster-032", json={"$set": {"status": status}}).raise_for_status()
    page = window.open("/console/changes?id=cluster-032&path=status")
    rows = page.get_by_role("row", name=re.compile("cluster-032 updated"))
    expect(rows).to_have_count(2)
    rows.first.get_by_role("button", name="Difference").click()
    expect(page.locator(".added", has_text="maintenance")).to_be_visible()
    rows.first.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(3)
    assert httpx.get(f"{server.url}/clusters/cluster-032").json()["status"] == "draining"


def test_the_past_is_shown_as_of_a_moment(window: Window, server: ServerProcess) -> None:
    before = httpx.get(f"{server.url}/clusters/cluster-033", params={"include": "registry"}).json()
    httpx.put(f"{server.url}/clusters/cluster-033", json={"$set": {"status": "draining"}}).raise_for_status()
    page = window.open(f"/console/clusters/cluster-033?at={before['_registry']['updatedAt']}")
    expect(page.locator(".chip", has_text="live").first).to_be_visible()
    expect(page.get_by_text("Everything is shown as of")).to_be_visible()
    page.get_by_role("link", name="Back to now").click()
    expect(page.locator(".chip", has_text="draining").first).to_be_visible()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Target]:
    opened = Target()
    yield opened
    opened.close()


def test_a_webhook_is_created_tested_and_deleted(browser: Browser, tmp_path: Path, receiver: Target) -> None:
    context = browser.new_context()
    with ServerProcess(tmp_path / "data", environment={"ROLLBOOK_WEBHOOKS_PRIVATE": "allow"}) as server:
        httpx.post(f"{server.url}/clusters", json=CLUSTER).raise_for_status()
        page = context.new_page()
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"{server.url}/console/webhooks")
        page.get_by_label("URL").fill(receiver.url)
        page.get_by_role("button", name="Create").click()
        expect(page.get_by_text("shown this once")).to_be_visible()
        expect(page.locator(".chip", has_text="current")).to_be_visible()

        page.get_by_role("button", name="Test").click()
        expect(page.get_by_text("is delivered to")).to_be_visible()
        expect(page.get_by_role("cell", name=re.compile(r"^\d+ s ago"))).to_be_visible(timeout=10_000)
        page.get_by_role("button", name="Deliveries").click()
        expect(page.get_by_text("No dead letters.")).to_be_visible()
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("No webhooks yet.")).to_be_visible()
        context.close()


CLUSTER = {
    "id": "only",
    "regionId": "us-west-2",
    "nodes": {"nodeData": []},
    "config": {"publicHostname": "only.example.net"},
    "clusterMetadata": {"name": "only", "description": "", "owner": ""},
}


def test_one_cluster_without_nodes_is_shown_on_every_screen(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context()
    with ServerProcess(tmp_path / "data") as server:
        httpx.post(f"{server.url}/clusters", json=CLUSTER).raise_for_status()
        window = Window(context.new_page(), server.url)
        page = window.open("/console")
        expect(page.get_by_role("link", name="1", exact=True)).to_be_visible()
        window.open("/console/clusters?view=heat")
        expect(page.get_by_role("link", name="only, not known")).to_be_visible()
        window.open("/console/clusters/only")
        expect(page.get_by_text("No nodes have joined.")).to_be_visible()
        assert window.troubles == []
        context.close()


def test_an_error_of_the_registry_says_what_to_do(browser: Browser, server: ServerProcess) -> None:
    context = browser.new_context()
    page = context.new_page()
    refusal = {"code": "overloaded", "detail": "The registry has too much to do.", "status": 503}
    page.route("**/clusters/table*", lambda route: route.fulfill(status=503, body=json.dumps(refusal)))
    page.goto(f"{server.url}/console/clusters")
    expect(page.get_by_role("alert")).to_contain_text("503 overloaded")
    expect(page.get_by_role("alert")).to_contain_text("Try again in a moment")
    page.unroute("**/clusters/table*")
    expect(page.get_by_role("grid").get_by_role("link").first).to_be_visible(timeout=10_000)
    context.close()


@pytest.mark.parametrize("path", ["", "/clusters", "/clusters/cluster-001", "/changes", "/webhooks", "/access", "/api"])
def test_each_screen_says_what_failed_and_claims_nothing(browser: Browser, server: ServerProcess, path: str) -> None:
    page = browser.new_page()
    refusal = json.dumps({"code": "overloaded", "detail": "too many requests wait", "status": 503})
    page.route(lambda url: "/console" not in url, lambda route: route.fulfill(status=503, body=refusal))
    page.goto(f"{server.url}/console{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("alert").first).to_contain_text("503 overloaded")
    expect(page.locator(".waiting")).to_have_count(0)
    expect(page.get_by_text(re.compile("^No (changes|webhooks|tokens|clusters)"))).to_have_count(0)
    page.close()


def test_changes_that_are_not_loaded_are_looked_for(window: Window, server: ServerProcess) -> None:
    lines = [json.dumps({"op": "update", "id": "cluster-030", "update": {"$inc": {"reputation": 1}}})] * 260
    headers = {"content-type": "application/x-ndjson"}
    httpx.post(f"{server.url}/clusters/bulk", content="\n".join(lines), headers=headers).raise_for_status()
    page = window.open("/console/changes?event=created&id=cluster-031")
    expect(page.get_by_role("link", name="cluster-031")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="1 found")).to_be_visible()


SCROLLED_TO = """id => {
    const box = document.querySelector('[role="grid"]');
    box.scrollTo(0, 100_000);
    return [...box.querySelectorAll("a")].some(link => link.title === id);
}"""


def test_a_fleet_that_is_too_large_for_a_page_is_asked_page_by_page(window: Window) -> None:
    window.page.add_init_script("globalThis.rollbookLimits = {rows: 10, page: 15}")
    page = window.open("/console/clusters?sort=-id")
    found = page.get_by_role("status").filter(has_text="clusters")
    expect(found).to_have_text(re.compile("40 of 40 clusters"))
    grid = page.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", "41")
    expect(grid.get_by_role("link").first).to_have_text("cluster-039")
    page.wait_for_function(SCROLLED_TO, arg="cluster-000")
    expect(page.get_by_role("complementary")).to_contain_text("us-west-2")
    held: list[Route] = []
    page.route("**/clusters/table", lambda route: held.append(route))
    with page.expect_request("**/clusters/table"):
        page.get_by_role("searchbox").fill("us-west gpus>=8")
    expect(found).to_have_text(re.compile("40 of 40 clusters"))  # what was found before stays meanwhile
    for each in held:
        each.continue_()
    page.unroute("**/clusters/table")
    expect(found).to_have_text(re.compile("10 of 40 clusters"))


def test_a_page_loads_no_more_rows_than_it_holds_and_says_so(window: Window) -> None:
    window.page.add_init_script("globalThis.rollbookLimits = {rows: 10, page: 15, loaded: 30}")
    page = window.open("/console/clusters")
    found = page.get_by_role("status").filter(has_text="clusters")
    grid = page.get_by_role("grid")
    expect(found).to_have_text(re.compile("the first 30 loaded"))
    grid.evaluate("box => box.scrollTo(0, 100_000)")
    expect(grid.get_by_role("link", name="cluster-029")).to_be_visible()
    expect(grid.get_by_role("link", name="cluster-030")).to_have_count(0)
    page.get_by_role("button", name="Select the 30 loaded").click()
    expect(page.get_by_text("30 selected")).to_be_visible()


def test_the_first_rows_come_before_all_of_them(window: Window) -> None:
    window.page.add_init_script("globalThis.rollbookLimits = {first: 5}")
    whole: list[Route] = []
    asks_for_all = '"sort":{"id":1}}'

    def hold(route: Route) -> None:
        if (route.request.post_data or "").endswith(asks_for_all):
            whole.append(route)
        else:
            route.continue_()

    window.page.route("**/clusters/table", hold)
    page = window.open("/console/clusters?q=us-west&sort=-id")
    grid, found = page.get_by_role("grid"), page.get_by_role("status").filter(has_text="clusters")
    expect(grid.get_by_role("link").first).to_have_text("cluster-037")
    expect(grid.get_by_role("link")).to_have_count(5)
    expect(found).to_have_text(re.compile("20 of 40 clusters"))
    expect(page.get_by_role("complementary")).to_contain_text("us-west-2")

    whole[0].continue_()
    expect(grid.get_by_role("link")).to_have_count(20)
    expect(grid.get_by_role("link").first).to_have_text("cluster-037")
    expect(found).to_have_text(re.compile("20 of 40 clusters"))


def test_the_first_question_is_sent_once_and_before_the_other_scripts_are_there(window: Window) -> None:
    page, scripts, questions = window.page, list[Route](), list[str]()
    page.route("**/assets/main-*.js", lambda route: scripts.append(route))
    page.on("request", lambda request: questions.append(request.post_data or "") if "/table" in request.url else None)
    with page.expect_request("**/clusters/table"):
        page.goto(f"{window.url}/console/clusters?q=us-west&sort=-id", wait_until="commit")
    for each in scripts:
        each.continue_()
    expect(page.get_by_role("grid").get_by_role("link").first).to_have_text("cluster-037")
    assert [each for each in questions if '"cursor":""' in each] == questions[:1]
