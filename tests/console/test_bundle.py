"""What the built console weighs: the scripts of each screen, compressed."""

import gzip
import re

from tests.console.conftest import ROOT

BUILT = ROOT / "src" / "rollbook" / "console"
FIRST_PAGE_GZIP_MAX = 45 * 1024
PAGE_GZIP_MAX = 80 * 1024
EDITOR_GZIP_MAX = 190 * 1024
ALL_FILES_MAX = 500 * 1024
SCREENS = ("Fleet", "Clusters", "Cluster", "Changes", "Webhooks", "Access", "Explain", "Api")
STATIC_IMPORT = re.compile(r"""(?:from|import)\s*["']\./([\w-]+\.js)["']""")


def scripts_of(name: str) -> set[str]:
    """The script that begins with a name, and all that it imports at once."""
    (first,) = (each.name for each in (BUILT / "assets").glob(f"{name}-*.js"))
    found, waiting = set[str](), [first]
    while waiting:
        script = waiting.pop()
        if script not in found:
            found.add(script)
            waiting += STATIC_IMPORT.findall((BUILT / "assets" / script).read_text())
    return found


def weight(screen: str) -> int:
    scripts = scripts_of("index") | scripts_of("main") | scripts_of(screen)
    return sum(len(gzip.compress((BUILT / "assets" / script).read_bytes(), 9)) for script in scripts)


def test_the_first_page_is_small() -> None:
    assert weight("Fleet") <= FIRST_PAGE_GZIP_MAX


def test_every_screen_is_small() -> None:
    weights = {screen: weight(screen) for screen in SCREENS}
    editor = weights.pop("Cluster")
    assert max(weights.values()) <= PAGE_GZIP_MAX
    assert editor <= EDITOR_GZIP_MAX


def test_all_files_together_are_small() -> None:
    assert sum(each.stat().st_size for each in BUILT.rglob("*") if each.is_file()) <= ALL_FILES_MAX


def test_nothing_moves_whether_less_motion_is_wanted_or_not() -> None:
    sources = ROOT / "console" / "src"
    texts = {each: each.read_text() for pattern in ("*.css", "*.svelte") for each in sources.rglob(pattern)}
    assert len(texts) > 10
    moving = re.compile(r"\b(?:transition|animate)\s*:|\banimation\s*:(?!\s*appear 0s )")
    assert {each.name: moving.findall(text) for each, text in texts.items() if moving.search(text)} == {}
