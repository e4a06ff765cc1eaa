"""The console as people use it, in a real browser: every screen, by mouse and by keyboard, alone and beside others."""

import re
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.console.conftest import AXE, CLUSTERS, Window, fill
from tests.serving import ServerProcess

SCREENS = {
    "/console": "Fleet",
    "/console/clusters": "Clusters",
    "/console/clusters?view=heat": "Clusters",
    "/console/clusters/cluster-001": "cluster-001",
    "/console/clusters/cluster-001?tab=json": "cluster-001",
    "/console/clusters/cluster-001?tab=history": "cluster-001",
    "/console/changes": "Changes",
    "/console/webhooks": "Webhooks",
    "/console/access": "Access",
    "/console/explain?q=gpus.count%20%3E%3D%208": "Explain",
    "/console/api?operation=queryClusters": "API",
}


SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
AXE_RUN = "async () => (await axe.run()).violations.map(v => [v.id, v.nodes.map(n => n.html)])"


@pytest.mark.parametrize("path", SCREENS)
def test_every_screen_opens_by_its_address_is_accessible_and_fits_a_telephone(window: Window, path: str) -> None:
    """Light and dark, with no violation of the policy or request elsewhere; 320 by 200 are 1,280 by 800 at 400 %."""
    page = window.open(path)
    expect(page.get_by_role("heading", level=1, name=SCREENS[path])).to_be_visible()
    expect(page.locator(".waiting")).to_have_count(0)

    page.evaluate(AXE.read_text())
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(AXE_RUN) == [], scheme

    page.set_viewport_size({"width": 320, "height": 200})
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.evaluate("scrollTo(0, 150)")
    assert page.evaluate("document.querySelector('header').getBoundingClientRect().bottom") <= 0
    assert page.evaluate("document.documentElement.scrollHeight") < 20_000  # long tables scroll in themselves


def test_words_and_filters_find_the_same_and_the_address_keeps_them(window: Window) -> None:
    page = window.open("/console/clusters")
    found = page.get_by_role("status").filter(has_text="clusters")
    expect(found).to_have_text(re.compile(rf"{CLUSTERS} of {CLUSTERS} clusters"))

    page.get_by_role("searchbox").fill("a100 us-west gpus>=8")
    expect(found).to_have_text(re.compile(rf"10 of {CLUSTERS} clusters"))
    address = page.url
    page.get_by_role("searchbox").fill('{"gpus.count": {"$gte": 8}, "regionId": "us-west-2"}')
    expect(found).to_have_text(re.compile(rf"10 of {CLUSTERS} clusters"))

    page.goto(address)
    expect(page.get_by_role("searchbox")).to_have_value("a100 us-west gpus>=8")
    expect(found).to_have_text(re.compile(rf"10 of {CLUSTERS} clusters"))


def test_a_wrong_search_says_what_is_wrong(window: Window) -> None:
    page = window.open("/console/clusters")
    page.get_by_role("searchbox").fill('{"gpus.count": {"$atLeast": 8}}')
    expect(page.get_by_role("alert")).to_contain_text("filter-refused")
    page.get_by_role("searchbox").fill('{"gpus')
    expect(page.get_by_role("alert")).to_contain_text("not JSON")


def test_sorting_by_a_heading_is_announced_and_kept(window: Window) -> None:
    page = window.open("/console/clusters")
    heading = page.get_by_role("columnheader", name="GPUs", exact=False).filter(has_text=re.compile(r"^\s*GPUs"))
    heading.first.get_by_role("button").click()
    expect(heading.first).to_have_attribute("aria-sort", "ascending")
    heading.first.get_by_role("button").click()
    expect(heading.first).to_have_attribute("aria-sort", "descending")
    assert "sort=-gpus.count" in page.url
    expect(page.get_by_role("grid").get_by_role("link").first).to_have_text("cluster-001")


def test_a_number_of_the_fleet_is_a_query(window: Window) -> None:
    page = window.open("/console")
    page.get_by_role("link", name="eu-central-1").click()
    expect(page.get_by_role("status").filter(has_text="clusters")).to_have_text(
        re.compile(f"20 of {CLUSTERS} clusters")
    )
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Fleet")).to_be_visible()


def test_a_journey_by_keyboard_alone(window: Window) -> None:
    page = window.open("/console")
    expect(page.get_by_role("heading", level=1, name="Fleet")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("rack-3")
    expect(page.get_by_role("searchbox")).to_have_value("rack-3")
    expect(page.get_by_role("status").filter(has_text="clusters")).to_have_text(re.compile("8 of"))
    page.get_by_role("searchbox").blur()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="cluster-008")).to_be_visible()


def test_a_document_is_edited_with_a_difference_and_a_reason(window: Window, server: ServerProcess) -> None:
    page = window.open("/console/clusters/cluster-020?tab=json")
    text = page.get_by_label("The document as JSON")
    expect(text).to_have_value(re.compile('"status": "live"'))
    text.fill(text.input_value().replace('"status": "live"', '"status": "maintenance"'))
    expect(page.locator(".added")).to_contain_text("maintenance")
    page.get_by_role("button", name="Try (dry run)").click()
    expect(page.get_by_text("It would be accepted.")).to_be_visible()
    page.get_by_label("Reason").fill("power is being replaced")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()

    (newest, *_) = httpx.get(f"{server.url}/clusters/cluster-020/history").json()
    assert newest["reason"] == "power is being replaced"
    assert newest["patch"] == [{"op": "replace", "path": "/status", "value": "maintenance"}]


def test_two_editors_lose_nothing(window: Window, server: ServerProcess) -> None:
    page = window.open("/console/clusters/cluster-021?tab=json")
    text = page.get_by_label("The document as JSON")
    expect(text).to_have_value(re.compile('"status": "live"'))
    text.fill(text.input_value().replace('"status": "live"', '"status": "maintenance"'))
    httpx.put(f"{server.url}/clusters/cluster-021", json={"$set": {"reputation": 7}}).raise_for_status()

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Somebody else has changed it meanwhile")).to_be_visible()
    expect(page.locator(".added", has_text="reputation")).to_be_visible()
    assert httpx.get(f"{server.url}/clusters/cluster-021").json()["status"] == "live"


def test_what_is_wrong_in_a_document_is_shown_with_its_place(window: Window) -> None:
    page = window.open("/console/clusters/cluster-022?tab=json")
    text = page.get_by_label("The document as JSON")
    expect(text).to_have_value(re.compile('"memory": 1024'))
    text.fill(text.input_value().replace('"memory": 1024', '"memory": "lots"'))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("/memory")


def test_a_former_version_is_restored(window: Window, server: ServerProcess) -> None:
    httpx.put(f"{server.url}/clusters/cluster-023", json={"$set": {"status": "draining"}}).raise_for_status()
    page = window.open("/console/clusters/cluster-023?tab=history")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Restore").last.click()
    expect(page.get_by_role("row")).to_have_count(4)
    assert httpx.get(f"{server.url}/clusters/cluster-023").json()["status"] == "live"


def test_many_clusters_are_changed_at_once(window: Window, server: ServerProcess) -> None:
    page = window.open("/console/clusters?q=rack-4")
    expect(page.get_by_role("status").filter(has_text="clusters")).to_have_text(re.compile("8 of"))
    page.get_by_role("button", name="Select all").click()
    page.get_by_label("What to do with the selected clusters").select_option("tag")
    page.get_by_label("Value").fill("audited")
    page.get_by_role("button", name="Change 8").click()
    expect(page.get_by_text("8 changed")).to_be_visible()
    assert httpx.post(f"{server.url}/clusters/count", json={"tags": "audited"}).json() == {"count": 8}


def test_what_is_new_is_announced_and_not_inserted(window: Window, server: ServerProcess) -> None:
    page = window.open("/console/clusters")
    first = page.get_by_role("grid").get_by_role("link").first
    expect(first).to_have_text("cluster-000")
    document = {**httpx.get(f"{server.url}/clusters/cluster-000").json(), "id": "a-new-one"}
    httpx.post(f"{server.url}/clusters", json=document).raise_for_status()
    try:
        expect(page.get_by_role("button", name="1 newer: show")).to_be_visible(timeout=15_000)
        expect(first).to_have_text("cluster-000")
        page.get_by_role("button", name="1 newer: show").click()
        expect(first).to_have_text("a-new-one")
    finally:
        httpx.delete(f"{server.url}/clusters/a-new-one")


def test_a_server_that_is_killed_and_started_again_is_found_again(browser: Browser, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data").start()
    fill(server.url)
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/console")
    expect(page.get_by_role("link", name=str(CLUSTERS), exact=True)).to_be_visible()
    server.kill()
    expect(page.get_by_text("reconnecting")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("link", name=str(CLUSTERS), exact=True)).to_be_visible()

    server.start()
    httpx.delete(f"{server.url}/clusters/cluster-039").raise_for_status()
    expect(page.get_by_role("link", name=str(CLUSTERS - 1), exact=True)).to_be_visible(timeout=20_000)
    expect(page.get_by_text("reconnecting")).to_have_count(0)
    context.close()
    server.stop()


def test_an_empty_registry_says_how_to_begin(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context()
    with ServerProcess(tmp_path / "data") as server:
        page = context.new_page()
        page.goto(server.url)
        expect(page.get_by_role("heading", name="No clusters yet")).to_be_visible()
        expect(page.get_by_text(f"rollbook demo --url {server.url}")).to_be_visible()
        context.close()


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/St_Johns"])
def test_times_are_those_of_the_readers_clock(browser: Browser, server: ServerProcess, zone: str) -> None:
    context = browser.new_context(timezone_id=zone)
    page = context.new_page()
    page.goto(f"{server.url}/console/clusters/cluster-001")
    time = page.locator("dl time").first
    expect(time).to_be_visible()
    title, stamp = time.get_attribute("title"), time.get_attribute("datetime")
    context.close()

    assert title is not None
    assert stamp is not None
    assert title.endswith(datetime.fromisoformat(stamp).astimezone(ZoneInfo(zone)).strftime("%H:%M:%S"))
