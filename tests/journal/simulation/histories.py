"""Histories: three processes on one simulated engine, with faults; a seed is a history.

Each process is the real committer (deciding, settling, confirming, following, loading anew) on the real journal
(writer, chain, follower) over a simulated engine. In the midst of a statement other processes take steps, and so do
the clients of the same one: any process may be paused at any statement for as long as others need to write, compact and
fail over. In the end the engine is calm, everything that waits has to be answered, every view has to show what is in
the log, and what was answered is held against it.
"""

import logging
from collections import Counter
from itertools import pairwise

from rollbook.errors import ClusterExists, ClusterNotFound
from tests.journal.simulation.engine import Engine
from tests.journal.simulation.processes import NOT_DONE, Answer, Process

STEPS = 60
DEPTH_MAX = 2
CALM_STEPS = 3_000
RULES = frozenset({"register", "predecessor", "same-token", "confirm", "no-cancel"})


def broken_promises(seed: int, rules: frozenset[str] = RULES) -> Counter[str]:
    """The promises that one history breaks."""
    logging.disable(logging.CRITICAL)
    engine, answers = Engine(seed, rules), list[Answer]()
    processes = [Process(name, engine, answers) for name in "pqr"]
    depth = 0

    def elsewhere() -> None:
        nonlocal depth
        if depth < DEPTH_MAX and not engine.is_calm and engine.random.random() < 0.25:
            depth += 1
            for _ in range(engine.random.choice((1, 1, 2, 6))):
                engine.random.choice(processes).step()
                engine.fault()
            depth -= 1

    engine.elsewhere = elsewhere
    try:
        for _ in range(STEPS):
            engine.fault()
            process = engine.random.choice(processes)
            if engine.random.random() < 0.03 and process.is_idle:
                process.end()
                process.start()
            process.step()
        engine.calm_down()
        for process in [*processes, *processes, *processes]:  # the first question may meet a lost connection
            process.run(CALM_STEPS)
            process.hear()
            process.run(CALM_STEPS)
        return judged(engine, processes, answers)
    finally:
        for process in processes:
            process.end()
        logging.disable(logging.NOTSET)


def judged(engine: Engine, processes: list[Process], answers: list[Answer]) -> Counter[str]:
    """Hold what was answered against what is in the log in the end."""
    newest = engine.safe.newest[0]
    history = {revision: change for revision, change in engine.history.items() if revision <= newest}
    times = Counter(name for _, name, _ in history.values())
    found: Counter[str] = Counter()
    found["twice"] = sum(count > 1 for count in times.values())
    found["never answered"] = sum(process.waiting for process in processes)
    for answer in answers:
        if answer.refusal is None:
            found["lost"] += history.get(answer.revision, ("", "", False))[1] != answer.name
            found["an order that was not"] += answer.revision <= answer.seen
        elif isinstance(answer.refusal, NOT_DONE):
            found["refused and done"] += times[answer.name] > 0
            found["a wrong refusal"] += not _was_right(answer, history)
    documents = {row[0]: row[1] for row in engine.safe.documents.values() if row[1] is not None}
    for process in processes:
        shown = {entry.id: entry.body for entry in process.view.entries()}
        found["another view"] += shown != documents or process.view.revision != newest
    ends = sorted((first, entry["last"]) for first, entry in engine.safe.log.items())
    found["gap"] += sum(following != last + 1 for (_, last), (following, _) in pairwise(ends))
    return +found


def _was_right(answer: Answer, history: dict[int, tuple[str, str, bool]]) -> bool:
    """Whether what it says was so at a moment between the question and the answer."""
    if not isinstance(answer.refusal, ClusterExists | ClusterNotFound):
        return True
    is_there, wanted = False, isinstance(answer.refusal, ClusterExists)
    for revision in range(1, answer.newest + 1):
        if revision > answer.seen and is_there == wanted:
            return True
        id, _, exists = history.get(revision, ("", "", False))
        is_there = exists if id == answer.id else is_there
    return is_there == wanted
