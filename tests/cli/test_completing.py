"""What may follow at a Tab, in each shell; and how little is imported to say it."""

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Rollbook

HEAVY = {"typer", "rich", "pydantic", "numpy", "apsw", "starlette", "httpx", "httpx2", "orjson", "pyroaring", "yaml"}
SERVERS = {"numpy", "apsw", "starlette", "httpx", "pyroaring", "rich", "prometheus_client", "re2", "uvloop"}


def completed(rollbook: Rollbook, *words: str) -> list[str]:
    return rollbook("__complete", "zsh", *words).out.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["clu"], ["cluster"]),
        (["cluster", "ed"], ["edit"]),
        (["cluster", "ls", "--so"], ["--sort"]),
        (["cluster", "ls", "-o", "js"], ["json", "jsonl"]),
        (["cluster", "ls", "-o", "columns=id,gpus.c"], ["columns=id,gpus.count"]),
        (["cluster", "ls", "--sort", "-repu"], ["-reputation"]),
        (["cluster", "get", "west"], ["west-1", "west-2"]),
        (["cluster", "get", "west-1", "west-2"], ["west-2"]),
        (["cluster", "set", "west-1", "stat"], ["status="]),
        (["cluster", "set", "west-1", "status=dr"], ["status=draining"]),
        (["node", "get", "west-1", "n"], ["n-1"]),
        (["schema", "clusterMetadata.na"], ["clusterMetadata.name"]),
        (["fleet", "facets", "regi"], ["regionId"]),
        (["completion", "z"], ["zsh"]),
        (["nothing", ""], []),
    ],
)
def test_candidates(rollbook: Rollbook, fleet: httpx.Client, words: list[str], expected: list[str]) -> None:
    assert completed(rollbook, *words) == expected


def test_contexts_and_files_are_candidates(rollbook: Rollbook, fleet: httpx.Client, home: Path) -> None:
    rollbook("context", "set", "lab", "--url", str(fleet.base_url))
    assert completed(rollbook, "context", "use", "l") == ["lab"]
    assert completed(rollbook, "cluster", "ls", "--context", "l") == ["lab"]
    (home / "fleet.json").write_text("{}")
    assert completed(rollbook, "cluster", "apply", "-f", "fl") == ["fleet.json"]


def test_a_server_that_is_away_offers_nothing(rollbook: Rollbook, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLBOOK_URL", "http://127.0.0.1:9")
    ran = rollbook("__complete", "bash", "rollbook cluster get we", "23")
    assert (ran.code, ran.out.strip(), ran.err) == (0, "", "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [("rollbook cluster set west-1 status=dr", "draining"), ("rollbook cluster get 'west-1", "west-1")],
)
def test_bash_gets_what_follows_its_word_breaks(
    rollbook: Rollbook, fleet: httpx.Client, line: str, expected: str
) -> None:
    assert rollbook("__complete", "bash", line, str(len(line))).out.split() == [expected]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_one(rollbook: Rollbook, shell: str) -> None:
    script = rollbook("completion", shell).out
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=script, text=True).returncode == 0
    assert "__complete" in script


def test_a_shell_without_completion_is_refused(rollbook: Rollbook) -> None:
    ran = rollbook("completion", "zhs")
    assert (ran.code, "did you mean 'zsh'" in ran.err) == (2, True)


def loaded_by(*arguments: str) -> set[str]:
    """The packages that a command imports."""
    code = (
        "import sys, atexit; atexit.register(lambda: print('\\n@', *{each.partition('.')[0] for each in sys.modules}));"
        f"sys.argv[1:] = {list(arguments)!r}; from rollbook.__main__ import main; main()"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return set(ran.stdout.rpartition("@")[2].split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], [], ["__complete", "zsh", "cluster", "l"]])
def test_nothing_slow_is_imported_for_help_and_completion(arguments: list[str]) -> None:
    assert not loaded_by(*arguments) & HEAVY


@pytest.mark.parametrize(
    "arguments", [["cluster", "ls"], ["fleet", "count"], ["node", "ls", "west-1"], ["webhook", "ls"]]
)
def test_a_verb_imports_no_part_of_the_server_and_nothing_slow(fleet: httpx.Client, arguments: list[str]) -> None:
    assert not loaded_by(*arguments) & (SERVERS | HEAVY | {"asyncio", "subprocess", "dataclasses"})


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["clutser", "ls"], "'cluster'"),
        (["cluster", "lss"], "'ls'"),
        (["cluster", "ls", "-o", "jsn"], "'json'"),
        (["cluster", "ls", "--sotr", "id"], "--sort"),
        (["schema", "gpus.cuont"], "'count'"),
        (["cluster", "set", "west-1", "staus=busy"], "'status'"),
        (["cluster", "set", "west-1", "status=drainning"], "'draining'"),
    ],
)
def test_what_is_misspelt_is_met_with_what_was_meant(
    rollbook: Rollbook, fleet: httpx.Client, arguments: list[str], meant: str
) -> None:
    assert meant in rollbook(*arguments).err
