"""Who may see and do what in the console: signing in and out, and each role."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.examples import cluster, node
from tests.serving import ServerProcess

ADMIN = "t" * 40


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that asks for tokens, with two clusters."""
    directory = tmp_path_factory.mktemp("guarded")
    (directory / "admin-token").write_text(ADMIN)
    environment = {"ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin-token"), "ROLLBOOK_HOSTS": "registry.test"}
    with ServerProcess(directory / "data", environment=environment) as server, admin(server) as http:
        for id in ("cluster-1", "cluster-2"):
            http.post("/clusters", json=cluster(id, node("node-1", gpus=8))).raise_for_status()
        yield server


def admin(server: ServerProcess) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {ADMIN}"})


def token_of(server: ServerProcess, role: str, **more: object) -> str:
    """A new token with one role."""
    with admin(server) as http:
        name = f"{role}-{len(http.get('/tokens').json())}"
        return str(http.post("/tokens", json={"name": name, "roles": [role], **more}).json()["token"])


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def sign_in(page: Page, token: str) -> None:
    """Sign in on the page that asks for it, and wait until it has loaded again."""
    dialog = page.get_by_role("dialog", name="Sign in")
    dialog.get_by_label("Token").fill(token)
    dialog.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_a_wrong_token_is_refused_and_a_right_one_opens_a_session_that_ends(page: Page, guarded: ServerProcess) -> None:
    page.goto(f"{guarded.url}/console")
    dialog = page.get_by_role("dialog", name="Sign in")
    dialog.get_by_label("Token").fill("not a token")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_role("alert")).to_contain_text("unauthenticated")

    sign_in(page, ADMIN)
    expect(page.get_by_role("heading", name="Fleet")).to_be_visible()
    page.set_viewport_size({"width": 320, "height": 640})
    expect(page.get_by_role("button", name="Sign out")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("Object.keys(localStorage).concat(Object.keys(sessionStorage))") == []
    page.get_by_role("button", name="Sign out").click()
    expect(dialog).to_be_visible()
    expect(page.get_by_role("link", name="2", exact=True)).to_have_count(0)


def test_a_token_that_is_revoked_ends_its_session(page: Page, guarded: ServerProcess) -> None:
    token = token_of(guarded, "reader")
    page.goto(f"{guarded.url}/console/clusters/cluster-1")
    sign_in(page, token)
    expect(page.get_by_role("heading", level=1, name="cluster-1")).to_be_visible()
    with admin(guarded) as http:
        newest = max(http.get("/tokens").json(), key=lambda each: str(each["createdAt"]))
        http.delete(f"/tokens/{newest['id']}").raise_for_status()
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible(timeout=10_000)


def test_over_plain_http_off_the_machine_signing_in_is_refused_with_the_reason(
    page: Page, guarded: ServerProcess
) -> None:
    page.goto(f"http://registry.test:{guarded.port}/console")
    dialog = page.get_by_role("dialog", name="Sign in")
    expect(dialog).to_contain_text("This page came over plain HTTP")
    expect(dialog).to_contain_text("ROLLBOOK_TLS_CERT")
    expect(dialog.get_by_label("Token")).to_have_count(0)


def test_what_a_reader_may_not_do_is_grey_and_says_why(page: Page, guarded: ServerProcess) -> None:
    page.goto(f"{guarded.url}/console/clusters/cluster-1")
    sign_in(page, token_of(guarded, "reader"))
    for name in ("Set status", "Protect", "Delete"):
        button = page.get_by_role("button", name=name)
        expect(button).to_have_attribute("aria-disabled", "true")
        expect(button).to_have_accessible_name(re.compile(re.escape(REFUSED[name])))
    page.get_by_role("button", name="Delete").click(force=True)
    page.goto(f"{guarded.url}/console/webhooks")
    expect(page.get_by_role("button", name="Create")).to_have_attribute("aria-disabled", "true")
    page.goto(f"{guarded.url}/console/access")
    expect(page.get_by_text("do not allow “tokens”").first).to_be_visible()
    with admin(guarded) as http:
        assert http.get("/clusters/cluster-1").status_code == 200


REFUSED = {
    "Set status": "Your roles (reader) do not allow “update”.",
    "Protect": "Your roles (reader) do not allow “protect”.",
    "Delete": "Your roles (reader) do not allow “delete”.",
}


def test_a_controller_may_change_its_own_cluster_and_no_other(page: Page, guarded: ServerProcess) -> None:
    page.goto(f"{guarded.url}/console/clusters/cluster-1")
    sign_in(page, token_of(guarded, "controller", clusters=["cluster-1"]))
    expect(page.get_by_label("Set the status")).to_be_visible()
    page.goto(f"{guarded.url}/console/clusters/cluster-2")
    expect(page.get_by_role("button", name="Set status")).to_have_attribute("aria-disabled", "true")


def test_an_administrator_makes_rotates_and_revokes_tokens_and_tries_roles(page: Page, guarded: ServerProcess) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{guarded.url}/console/access")
    sign_in(page, ADMIN)
    page.get_by_label("Name").fill("pager")
    page.get_by_label("Role").first.select_option("reader")
    page.get_by_role("button", name="Create a token").click()
    shown = page.get_by_role("status").filter(has_text="shown this once").locator("code").inner_text()
    assert httpx.get(f"{guarded.url}/access", headers={"authorization": f"Bearer {shown}"}).json()["roles"] == [
        "reader"
    ]

    row = page.get_by_role("row", name=re.compile("^pager"))
    row.get_by_role("button", name="Rotate").click()
    expect(page.get_by_role("status").filter(has_text="shown this once").locator("code")).not_to_have_text(shown)
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    expect(page.get_by_role("table").last).to_contain_text("token")

    trial = page.locator("form", has=page.get_by_role("heading", name="Try as"))
    trial.get_by_label("Verb").select_option("delete")
    trial.get_by_role("button", name="Ask").click()
    expect(trial.locator(".chip")).to_have_text("refused")


def test_copied_commands_name_the_token_by_its_variable(page: Page, guarded: ServerProcess) -> None:
    page.goto(f"{guarded.url}/console/clusters")
    sign_in(page, ADMIN)
    copy = page.get_by_role("button", name="Copy curl").get_attribute("title") or ""
    assert '-H "Authorization: Bearer $ROLLBOOK_TOKEN"' in copy
    assert ADMIN not in page.content()
