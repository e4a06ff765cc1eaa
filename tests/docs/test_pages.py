"""What README and docs/ show is what a reader gets, and what they point to is there."""

import json
import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Command, commands_of, examples_of, pages, shows
from tests.docs.readers import STARTS_A_SERVER, reader_in

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PAGES = {str(page.relative_to(ROOT)): page for page in pages()}
PAGES_WITH_EXAMPLES = [name for name, page in PAGES.items() if any(examples_of(page))]


@pytest.mark.parametrize("name", PAGES_WITH_EXAMPLES)
def test_the_examples_of_a_page_give_what_it_shows(name: str, tmp_path: Path) -> None:
    examples = list(examples_of(PAGES[name]))
    with reader_in(tmp_path) as reader:
        if not any(isinstance(each, Command) and STARTS_A_SERVER.fullmatch(each.text) for each in examples):
            reader.server.start()
        for example in examples:
            reader.follow(example)


GUIDES = [link for link in LINK.findall((ROOT / "docs" / "README.md").read_text()) if link.startswith("guides/")]
"""The guides, in the order of the table of contents."""


def test_the_guides_work_in_one_registry_after_the_tutorial(tmp_path: Path) -> None:
    with reader_in(tmp_path) as reader:
        for name in ("tutorial.md", *GUIDES):
            for example in examples_of(ROOT / "docs" / name):
                reader.follow(example)


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_says_how_to_begin_with_an_empty_registry(name: str) -> None:
    text = (ROOT / "docs" / name).read_text()
    if "localhost:3000" in "".join(each.text for each in examples_of(ROOT / "docs" / name)):
        assert "begin with an empty registry" in text
        assert "$ docs/examples/empty.sh http://localhost:3000" in text


@pytest.mark.parametrize("name", PAGES_WITH_EXAMPLES)
def test_json_that_is_laid_out_says_by_what(name: str) -> None:
    examples = [each for each in examples_of(PAGES[name]) if isinstance(each, Command)]
    laid_out = [each for each in examples if "\n" in each.expected.strip() and is_json(each.expected)]
    assert [each.text for each in laid_out if "python3 -m json.tool" not in each.text] == []


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True


def test_readme_and_tutorial_have_examples() -> None:
    assert {"README.md", "docs/tutorial.md"} <= set(PAGES_WITH_EXAMPLES)


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_somewhere(name: str) -> None:
    page = PAGES[name]
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link and not link.startswith("mailto:")]
    missing = [link for link in links if not leads_somewhere(page, link)]
    assert not missing


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors_of(target))


def anchors_of(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_of_docs_can_be_reached_from_its_table_of_contents() -> None:
    seen: set[Path] = set()
    todo = [ROOT / "docs" / "README.md"]
    while todo:
        page = todo.pop()
        if page.suffix == ".md" and page not in seen and page.exists():
            seen.add(page)
            todo += [(page.parent / link.partition("#")[0]).resolve() for link in LINK.findall(page.read_text())]
    assert {page for page in pages() if page.is_relative_to(ROOT / "docs")} <= seen


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("done", "done\n"),
        ("took ... ms", "took 5 ms"),
        ('{"id": "a",\n "tags": ["x"]}', '{"tags":["x"],"id":"a"}'),
        ('{"id": "a", "...": "..."}', '{"id":"a","tags":[]}'),
        ('[{"id": "..."}]', '[{"id":"a"}]'),
        ('{"a": 5}', '{"a": 5}'),
    ],
)
def test_a_page_may_leave_out_what_changes(expected, printed) -> None:
    assert shows(expected, printed)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("", "refused"),
        ("done", "not done"),
        ("took ... ms", "took 5 s"),
        ('{"id": "a"}', '{"id":"a","tags":[]}'),
        ('{"id": "a", "b": 1, "...": "..."}', '{"id":"a"}'),
        ('[{"id": "a"}]', '[{"id":"a"},{"id":"b"}]'),
        ('["..."]', "[]"),
        ('{"a": 1}', '{"a": true}'),
    ],
)
def test_a_page_may_not_show_what_is_not_printed(expected, printed) -> None:
    assert not shows(expected, printed)


def test_a_command_goes_on_while_a_quote_is_open_or_the_line_is() -> None:
    block = "$ curl \\\n  -d '{\n  \"$set\": {}\n}'\nprinted\n\nmore\n$ true\n"
    assert list(commands_of(block)) == [
        Command(1, "curl \\\n  -d '{\n  \"$set\": {}\n}'", "printed\n\nmore"),
        Command(8, "true", ""),
    ]
