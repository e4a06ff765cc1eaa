"""Mutation of the sight: each rule of what a caller sees or may write is broken in turn, and a law has to fail.

    python -m tests.security.mutating [MODULE]

Every mutation is made in a copy of the sources, which the tests import in their place, servers too. The laws in this
process are asked first; those over HTTP only where these hold. Where a mutation breaks no law, the exit code is 1.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "rollbook"
HERE = "tests/security"
LAWS: Sequence[Sequence[str]] = (
    [f"{HERE}/{name}.py" for name in ("test_seeing", "test_masks", "test_hidden_nodes")],
    [f"{HERE}/test_known_attacks.py"],
    [f"{HERE}/test_non_interference.py"],
)
SECONDS_MAX = 900


class Mutation(NamedTuple):
    """A rule of a module: the text that keeps it, which occurs once, and what breaks it."""

    module: str
    kept: str
    broken: str


MUTATIONS = (
    # Documents are masked wherever they are taken from.
    Mutation("security/sights.py", "else encode_to_keep(shown)", "else body"),
    Mutation("security/sights.py", "[grant.mask for grant in self.grants if grant.covers(document)]", "[SHOWN]"),
    Mutation("security/sights.py", "self.body(change.before, versions[0])", "change.before"),
    Mutation("security/sights.py", "self.body(change.after, versions[1])", "change.after"),
    Mutation("security/sights.py", "if before == after and (before is None", "if False and (before is None"),
    Mutation("security/sights.py", '"deleted" if after is None else change.kind', "change.kind"),
    Mutation("security/seeing.py", "known = sight.body(entry.body)", "known = entry.body"),
    Mutation("security/seeing.py", "body = self._masked.body(sight, entry)", "body = entry.body"),
    Mutation("security/seeing.py", "if sight is WHOLE else self._masked.body(sight, entry)", "if True else None"),
    Mutation("security/seeing.py", "map(self._known.get(sight, NOTHING_KNOWN).get, held)", "held"),
    Mutation("security/seeing.py", "if self._masked.isdisjoint(candidates):", "if True:"),
    Mutation("security/seeing.py", "if entry.number not in self._masked:", "if True:"),
    Mutation("security/seeing.py", "        if entry.number in self._masked:", "        if False:"),
    Mutation("security/seeing.py", " | nested_on(index.root, path)", ""),
    Mutation("security/seeing.py", " | (self._covered.possible - certain)", ""),
    Mutation("security/seeing.py", "self._covered.possible if candidates is None else candidates", "candidates"),
    Mutation("security/seeing.py", "found if self._covers_all else found.both(covered)", "found"),
    Mutation("security/seeing.py", "len(certain) == len(view.index.live)", "True"),
    # The index answers only for what is shown.
    Mutation("security/seeing.py", "live=covered.possible, veil=self.veil", "live=covered.possible"),
    Mutation("security/sights.py", "is self.visibility(names) is Visibility.ALL", "is Visibility.ALL"),
    Mutation("security/seen_orders.py", "view.veil is not None and not view.veil.shows(path)", "False"),
    Mutation("view/planning/planning.py", "self.veil is not None and not self.veil.shows(field.path)", "False"),
    Mutation("view/planning/planning.py", "VeilBelow(self.veil, node.path)", "self.veil"),
    Mutation("view/planning/planning.py", "(veil is None or veil.shows(path))", "True"),
    Mutation("view/planning/explaining.py", "planner.veil is not None and not planner.veil.shows(path)", "False"),
    Mutation("registry/reading/narrowing.py", "view.veil is None or all(map(view.veil.shows, paths))", "True"),
    # So does the past.
    Mutation("registry/history/history.py", "(seen := sight.entry(entry)) is not None:\n", "(seen := entry):\n"),
    Mutation("registry/history/history.py", "sight.entry(entry_of(kept))", "entry_of(kept)"),
    Mutation("registry/history/history.py", " or not (sight is WHOLE or self._was_seen(sight, id, work))", ""),
    Mutation(
        "registry/history/history.py", "(seen := ChangeEvent(change).seen_by(sight))", "(seen := ChangeEvent(change))"
    ),
    Mutation("registry/history/history.py", "return entries if sight is WHOLE else", "return entries if True else"),
    # Events are of what is seen.
    Mutation("registry/feed/change_events.py", "if sight is WHOLE:", "if True:"),
    Mutation(
        "registry/webhooks/running_webhooks.py", 'return caller.access.sight("watch") is WHOLE or', "return True or"
    ),
    # Writes are judged by effect, and what is hidden stays.
    Mutation("registry/writing/permitting.py", "whole = grafted(mask, before, after)", "whole = after"),
    Mutation("registry/writing/permitting.py", "after = grafted(mask, last, after)", "pass"),
    Mutation("registry/writing/permitting.py", "        if forbidden:\n", "        if False:\n"),
    Mutation("registry/writing/permitting.py", "not self.access.covers(self.verb, before, after)", "False"),
    Mutation("registry/writing/permitting.py", "not self.access.covers(self.verb, before)", "False"),
    Mutation("registry/writing/permitting.py", "not self.access.covers(verb, after)", "False"),
    Mutation("registry/liveness/admitting.py", "not access.covers(VERB, document)", "False"),
    Mutation("registry/liveness/admitting.py", "access.unwritable(VERB, document, shown, changed)", "False"),
)


def mutated(mutation: Mutation) -> str:
    """The text of the module with the mutation."""
    text = (SOURCES / mutation.module).read_text()
    assert text.count(mutation.kept) == 1, f"{mutation.module} has {text.count(mutation.kept)} times: {mutation.kept}"
    return text.replace(mutation.kept, mutation.broken)


def failing_law(mutation: Mutation) -> str | None:
    """The first test that notices a mutation; None when none does."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "rollbook"
        shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / mutation.module).write_text(mutated(mutation))
        for laws in LAWS:
            done = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "pytest",
                    "-xqp",
                    "no:cacheprovider",
                    "-o",
                    f"pythonpath={folder} {ROOT}",
                    *laws,
                ],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": folder, "ROLLBOOK_MUTATION": "sight"},
                stdout=subprocess.PIPE,
                text=True,
                timeout=SECONDS_MAX,
            )
            if done.returncode == 1:
                return next(line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR")))
            assert done.returncode == 0, done.stdout
    return None


def chosen(module: str) -> Iterator[Mutation]:
    """The mutations of the modules whose path holds a text."""
    return (mutation for mutation in MUTATIONS if module in mutation.module)


def main(module: str = "") -> int:
    survivors = 0
    for mutation in chosen(module):
        law = failing_law(mutation)
        survivors += law is None
        print(
            f"{mutation.module}: {mutation.kept.strip()!r} -> {mutation.broken.strip()!r}: {law or 'SURVIVES'}",
            flush=True,
        )
    print(f"{survivors} mutations survive")
    return min(survivors, 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
