"""The writer: sends an entry until it is known what became of it.

One rule: an entry keeps its token until its outcome is known, and is never decided again. A statement that had no
answer is sent again, the same, on a new connection that has registered first; where that takes too long, the caller
learns that the outcome is unknown (AppendUndecided), and ``settle`` goes on from there.
"""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg

from rollbook.errors import AppendUndecided, JournalConflict, JournalUnavailable
from rollbook.journal.kept_results import KeptResult
from rollbook.journal.postgresql.appending import KEEP_RESULTS, Appending, columns_of_results, look, predecessor, send
from rollbook.journal.postgresql.batches import Position
from rollbook.journal.postgresql.connecting import OpenSession, Session, first_line

WRITE_SECONDS = 5.0
"""How long one append is tried."""

SENDING_SECONDS = 1.0
"""How long an answer is waited for at least, however long it took to connect."""

PAUSE_SECONDS = (0.02, 0.25)
"""How long lies between two attempts: the first pause, and the longest. Each is drawn between a half and the whole."""

NOT_DONE = frozenset({"22", "23", "25", "40", "42", "53", "54", "57014"})
"""What the engine reports of a statement that it has given up: nothing of it is there."""


class EngineWriter:
    """The connection that appends, made again when it is lost. One thread calls it."""

    def __init__(
        self,
        open_session: OpenSession,
        *,
        seconds: float = WRITE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self.problem: str | None = None
        """Why the engine could not be written to when it was last tried; None when it could."""
        self._open_session = open_session
        self._seconds = seconds
        self._session: Session | None = None
        self._undecided: Appending | None = None
        self._is_closed = False

    @property
    def undecided(self) -> Appending | None:
        """The entry whose outcome is not known yet."""
        return self._undecided

    def append(self, appending: Appending) -> None:
        """Have an entry accepted. See ``interface.Journal.append``."""
        if self._undecided is not None:
            raise JournalUnavailable("what became of the batch before is not known yet")
        self._undecided = appending
        try:
            outcome = self._outcome(appending)
        except AppendUndecided:
            raise
        except BaseException:
            self._undecided = None
            raise
        self._undecided = None
        self._raise(outcome, appending)

    def settle(self) -> bool | None:
        """What became of the undecided entry: whether it is in the log. None: there is none, or it can't be known.

        Raises AppendUndecided as long as there is no answer.
        """
        if self._undecided is None:
            return None
        outcome = self._outcome(self._undecided, sent_before=True)
        self._undecided = None
        return None if outcome == "unknown" else outcome == "accepted"

    def keep_results(self, results: Sequence[KeptResult], after: Position) -> None:
        """Keep the results of what changed nothing. Refuses (JournalConflict) when ``after`` is not the newest."""
        parameters = {**columns_of_results(results), **predecessor(after)}
        if not self.asked(lambda session: session.rows(KEEP_RESULTS, parameters)):
            raise JournalConflict(f"the newest revision is not {after.revision}")

    def asked(self, question: "Callable[[Session], list[tuple[object, ...]]]") -> list[tuple[object, ...]]:
        """What the engine answers to what may be asked any number of times. Fails (JournalUnavailable)."""
        until, pause = self._clock() + self._seconds, PAUSE_SECONDS[0]
        while True:
            try:
                session = self._connected(until)
                with session.until(self._answer_by(until)):
                    answer = question(session)
            except (psycopg.Error, JournalUnavailable) as problem:
                self._note(problem)
                self._lose_session()
                if self._clock() + pause > until or self._is_closed:
                    raise JournalUnavailable(self.problem) from problem
                pause = self._paused(pause)
            else:
                self.problem = None
                return answer

    def close(self) -> None:
        """Close the connection. Closing twice is harmless."""
        self._is_closed = True
        self._lose_session()

    def _outcome(self, appending: Appending, *, sent_before: bool = False) -> str:
        """What becomes of an entry. Fails (AppendUndecided) when it was sent and nothing is known in time."""
        until, pause, sent = self._clock() + self._seconds, PAUSE_SECONDS[0], sent_before
        while True:
            was_sent = sent
            try:
                session = self._connected(until)
                with session.until(self._answer_by(until)):
                    session.warnings.clear()
                    sent = True
                    if send(session, appending):
                        if session.warnings:  # the wait for the standby may have been cut short
                            session.register()
                        self.problem = None
                        return "accepted"
                    outcome = look(session, appending, sent_before=was_sent)
                    self.problem = None
                    return outcome
            except (psycopg.Error, JournalUnavailable) as problem:
                sent = was_sent if _is_not_done(problem) else sent
                self._note(problem)
                self._lose_session()
                if self._clock() + pause > until or self._is_closed or _is_hopeless(problem):
                    kind = AppendUndecided if sent else JournalUnavailable
                    raise kind(self.problem) from problem
                pause = self._paused(pause)

    def _raise(self, outcome: str, appending: Appending) -> None:
        if outcome == "taken":
            raise JournalConflict(f"the newest revision is not {appending.after.revision}")
        if outcome == "unknown":
            raise AppendUndecided("what became of the write is not known, and it is not tried again: read, then decide")
        if outcome == "wrong":
            ids = ", ".join(repr(id) for id in appending.parameters["d0"])
            raise ValueError(f"revision {appending.first} and later do not follow from the stored documents: {ids}")

    def _connected(self, until: float) -> Session:
        if self._session is not None and self._session.is_open and not self._session.has_ended():
            return self._session
        self._lose_session()
        self._session = self._open_session(until)
        return self._session

    def _lose_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(psycopg.Error):
                session.close()

    def _paused(self, pause_seconds: float) -> float:
        """Wait; how long to wait the next time."""
        self._sleep(pause_seconds * (0.5 + self._chance() / 2))
        return min(2 * pause_seconds, PAUSE_SECONDS[1])

    def _answer_by(self, until: float) -> float:
        """When a statement that is sent now has to be answered: not before its time to be sent is over."""
        return max(until, self._clock() + SENDING_SECONDS)

    def _note(self, problem: Exception) -> None:
        text = problem.message if isinstance(problem, JournalUnavailable) else first_line(problem)
        self.problem = f"the journal's engine can't be written to: {text}"


def _is_not_done(problem: Exception) -> bool:
    """Whether the engine has said that it gave the statement up, so that nothing of it is there."""
    state = problem.sqlstate if isinstance(problem, psycopg.Error) else None
    return state is not None and (state[:2] in NOT_DONE or state in NOT_DONE)


def _is_hopeless(problem: Exception) -> bool:
    """Whether another attempt would end in the same way."""
    state = problem.sqlstate if isinstance(problem, psycopg.Error) else None
    return state is not None and state[:2] in ("22", "23", "42", "54")
