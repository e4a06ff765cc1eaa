"""Pages of other origins in a real browser: they change and read nothing, and a name of theirs does not help."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.console.conftest import ARGUMENTS, CHROMIUM
from tests.examples import cluster
from tests.serving import ServerProcess

EVIL = "evil.example"
ADMIN = "admin-" + "x" * 40


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser to which ``evil.example`` is this machine."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        rules = f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, rules])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """An open registry of this machine, as a developer has it."""
    with ServerProcess(tmp_path_factory.mktemp("origins") / "data") as running:
        httpx.post(running.url + "/clusters", json=cluster("west")).raise_for_status()
        yield running


@pytest.fixture(scope="module")
def page_url() -> Iterator[str]:
    """An empty page of another site."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>evil</title>")

        def log_message(self, *_: object) -> None:
            pass

    pages = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=pages.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://{EVIL}:{pages.server_port}"
    pages.shutdown()
    pages.server_close()


TRIES = """async (url) => {
  const outcomes = {};
  const attempt = async (name, path, options) => {
    try { const answer = await fetch(url + path, options); outcomes[name] = answer.type + answer.status; }
    catch (error) { outcomes[name] = error.name; }
  };
  const body = '{"$set": {"status": "stolen"}}';
  await attempt("read", "/clusters/west");
  const headers = {"content-type": "application/json"};
  await attempt("query", "/clusters/query", {method: "POST", body: "{}", headers});
  await attempt("simple post", "/clusters/west/heartbeat", {method: "POST", mode: "no-cors", credentials: "include"});
  await attempt("text post", "/clusters", {method: "POST", mode: "no-cors", body: '{"id": "evil"}'});
  await attempt("put", "/clusters/west", {method: "PUT", body, headers});
  await attempt("delete", "/clusters/west", {method: "DELETE", credentials: "include"});
  const form = document.createElement("form");
  form.method = "POST"; form.action = url + "/clusters/west/heartbeat"; form.target = "frame";
  const frame = document.createElement("iframe"); frame.name = "frame";
  document.body.append(frame, form);
  await new Promise(done => { frame.onload = done; form.submit(); });
  return outcomes;
}"""


def test_a_page_of_another_site_changes_and_reads_nothing(
    browser: Browser, server: ServerProcess, page_url: str
) -> None:
    before = httpx.get(server.url + "/clusters/west?include=registry").json()
    page = browser.new_page()
    page.goto(page_url)

    outcomes = page.evaluate(TRIES, server.url)

    page.close()
    assert outcomes == {
        "read": "TypeError",
        "query": "TypeError",
        "simple post": "opaque0",
        "text post": "opaque0",
        "put": "TypeError",
        "delete": "TypeError",
    }
    after = httpx.get(server.url + "/clusters/west?include=registry").json()
    assert after == {**before, "_registry": {**before["_registry"], "ageSeconds": after["_registry"]["ageSeconds"]}}
    assert httpx.get(server.url + "/clusters/evil").status_code == 404


def test_a_name_that_somebody_else_lets_point_here_is_not_answered(browser: Browser, server: ServerProcess) -> None:
    page = browser.new_page()
    answer = page.goto(f"http://{EVIL}:{server.port}/clusters/west")
    assert answer is not None
    assert answer.status == 421
    own = page.evaluate("async () => (await fetch('/clusters/west', {method: 'DELETE'})).status")
    assert own == 421
    page.close()
    assert httpx.get(server.url + "/clusters/west").status_code == 200


def test_a_session_is_of_no_use_to_a_page_of_another_site(browser: Browser, page_url: str, tmp_path: Path) -> None:
    (tmp_path / "admin").write_text(ADMIN)
    environment = {"ROLLBOOK_ADMIN_TOKEN_FILE": str(tmp_path / "admin")}
    with ServerProcess(tmp_path / "data", environment=environment) as server:
        bearer = {"authorization": f"Bearer {ADMIN}"}
        httpx.post(server.url + "/clusters", json=cluster("west"), headers=bearer).raise_for_status()
        context = browser.new_context()
        page = context.new_page()
        page.goto(server.url + "/console")
        opened = page.evaluate(
            "async (token) => (await fetch('/session', {method: 'POST', headers: {authorization: token}})).status",
            bearer["authorization"],
        )
        assert opened == 201
        assert page.evaluate("async () => (await fetch('/clusters/west')).status") == 200
        page.goto(page_url)
        page.evaluate(TRIES, server.url)
        context.close()
        history = httpx.get(server.url + "/clusters/west/history", headers=bearer).json()
        assert [each["event"] for each in history] == ["created"]
