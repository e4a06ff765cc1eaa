"""MongoDB's language as a corpus of cases has it: all of them, in-process and over HTTP."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conformance.corpus import Run, deliberate, run
from tests.serving import ServerProcess

CODES_SHARE_MIN = 0.95

MEMORY = Path("/dev/shm")
"""Where the corpus' thousands of clusters are created: how long a disk takes is not the subject."""

Report = Callable[[str, Run], None]


def test_every_case_passes_in_process_but_those_that_differ_on_purpose(tmp_path: Path, report: Report) -> None:
    adapter = "tests.conformance.adapter"
    done = run(
        "run_local.py", "--find", f"{adapter}:find", "--update", f"{adapter}:update", failures=tmp_path / "failures"
    )
    report("in-process", done)
    assert surprises(done, "local") == []
    assert done.codes_share >= CODES_SHARE_MIN


def test_every_case_passes_over_http_but_those_that_differ_on_purpose(tmp_path: Path, report: Report) -> None:
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as data, ServerProcess(Path(data)) as server:
        done = run("run_http.py", server.url, "--no-cleanup", failures=tmp_path / "failures")
    report("over HTTP", done)
    assert surprises(done, "http") == []
    assert done.codes_share >= CODES_SHARE_MIN


def surprises(done: Run, runner: str) -> list[str]:
    """The cases that fail though they should pass, with the reason, and those that pass though they should fail."""
    listed = {case.id for case in deliberate() if case.runner in (runner, "both")}
    failing = [f"{id} fails: {why}" for id, why in done.failures.items() if id not in listed]
    passing = [f"{id} passes, though deliberate.txt lists it" for id in listed & done.ids - done.failures.keys()]
    return sorted(failing + passing)
