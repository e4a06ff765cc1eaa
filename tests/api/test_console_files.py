"""The console's files over HTTP: each in the encoding that is asked for, with a tag, kept for as long as it may be."""

import gzip
import re

import httpx
import pytest
import zstandard

PAGE = {"accept": "text/html"}


@pytest.fixture
def script(http: httpx.Client) -> str:
    """The address of the script that the page names."""
    found = re.search(r'src="(/console/assets/[^"]+\.js)"', http.get("/console").text)
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/clusters", "/console/clusters/a%2Fb?q=x&more=1"])
def test_every_address_of_the_console_is_its_page(http: httpx.Client, path: str) -> None:
    reply = http.get(path)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert reply.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in reply.headers["content-security-policy"]
    assert reply.text == http.get("/", headers=PAGE).text


def test_a_file_that_is_not_there_is_404(http: httpx.Client) -> None:
    assert http.get("/console/assets/none.js").status_code == 404
    assert http.get("/console/assets/..%2Findex.html").status_code == 404


def test_an_asset_may_be_kept_for_ever(http: httpx.Client, script: str) -> None:
    reply = http.get(script)
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_encodings_are_of_one_content_and_have_tags_of_their_own(http: httpx.Client, script: str) -> None:
    plain = http.get(script, headers={"accept-encoding": "identity"})
    with http.stream("GET", script, headers={"accept-encoding": "gzip"}) as zipped:
        assert zipped.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(zipped.iter_raw())) == plain.content
    with http.stream("GET", script, headers={"accept-encoding": "zstd"}) as packed:
        assert packed.headers["content-encoding"] == "zstd"
        assert zstandard.decompress(b"".join(packed.iter_raw())) == plain.content
    assert len({reply.headers["etag"] for reply in (plain, zipped, packed)}) == 3
    assert {reply.headers["vary"] for reply in (plain, zipped, packed)} == {"accept, accept-encoding"}


@pytest.mark.parametrize("path", ["/console", "/console/changes", "/"])
def test_a_page_that_the_caller_has_is_304(http: httpx.Client, path: str) -> None:
    tag = http.get(path, headers=PAGE).headers["etag"]
    again = http.get(path, headers={**PAGE, "if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert http.get(path, headers={**PAGE, "if-none-match": '"other"'}).status_code == 200
