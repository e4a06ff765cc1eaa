"""Webhooks and their dead letters in memory.

One rule: it passes the contract as the other stores do, and is the simplest that does. Nothing survives the process.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import count

from rollbook.journal.memory.disk import MemoryDisk
from rollbook.journal.webhook_store import LETTER_BYTES_MAX, LETTERS_MAX, Letter, Progress, WebhookRow


class MemoryWebhookStore:
    """A store (see ``WebhookStore``) that ends with its process."""

    def __init__(self) -> None:
        self.disk = MemoryDisk()
        self._rows: dict[str, WebhookRow] = {}
        self._progress: dict[str, Progress] = {}
        self.letters = MemoryDeadLetters(self.disk, self._progress)

    def load(self) -> list[tuple[WebhookRow, Progress]]:
        """See ``WebhookStore.load``."""
        rows = sorted(self._rows.values(), key=lambda row: (row.created_at_ms, row.id))
        return [(row, self._progress[row.id]) for row in rows]

    def save(self, row: WebhookRow, progress: Progress) -> None:
        """See ``WebhookStore.save``."""
        self.disk.write()
        self._rows[row.id] = row
        self._progress[row.id] = progress

    def forget(self, id: str) -> None:
        """See ``WebhookStore.forget``."""
        self.disk.write()
        if self._rows.pop(id, None) is not None:
            del self._progress[id]
            self.letters.forget(id)

    def keep(self, progress: Sequence[tuple[str, Progress]]) -> None:
        """See ``WebhookStore.keep``."""
        self.disk.write()
        self._progress.update({id: each for id, each in progress if id in self._rows})

    def close(self) -> None:
        """Nothing is held."""


class MemoryDeadLetters:
    """Dead letters (see ``DeadLetterStore``) of a store in memory, whose progress they move on."""

    def __init__(self, disk: MemoryDisk, progress: dict[str, Progress]) -> None:
        self._disk = disk
        self._progress = progress
        self._letters: dict[str, dict[int, Letter]] = {}
        self._dropped: Counter[str] = Counter()
        self._numbers = count(1)

    def bury(self, id: str, letter: Letter, progress: Progress) -> None:
        """See ``DeadLetterStore.bury``."""
        self._disk.write()
        if id in self._progress:
            number = next(self._numbers)
            letters = self._letters.setdefault(id, {})
            letters[number] = letter._replace(number=number, retry=False)
            self._progress[id] = progress
            surplus = _surplus(list(letters.values()))
            for old in list(letters)[:surplus]:
                del letters[old]
            self._dropped[id] += surplus

    def counts(self) -> dict[str, tuple[int, int]]:
        """See ``DeadLetterStore.counts``."""
        return {id: (len(self._letters.get(id, ())), self._dropped[id]) for id in self._progress}

    def all(self, id: str) -> list[Letter]:
        """See ``DeadLetterStore.all``."""
        return [letter._replace(body=None) for letter in self._letters.get(id, {}).values()]

    def get(self, id: str, number: int) -> Letter | None:
        """See ``DeadLetterStore.get``."""
        return self._letters.get(id, {}).get(number)

    def due(self, id: str) -> Letter | None:
        """See ``DeadLetterStore.due``."""
        return next((letter for letter in self._letters.get(id, {}).values() if letter.retry), None)

    def retry(self, id: str, number: int | None = None) -> int:
        """See ``DeadLetterStore.retry``."""
        self._disk.write()
        found = [each for each in self._chosen(id, number) if each.body is not None]
        self._letters.get(id, {}).update({each.number: each._replace(retry=True) for each in found})
        return len(found)

    def drop(self, id: str, number: int | None = None) -> int:
        """See ``DeadLetterStore.drop``."""
        self._disk.write()
        found = self._chosen(id, number)
        for each in found:
            del self._letters[id][each.number]
        return len(found)

    def fail(self, id: str, number: int, *, problem: str, at_ms: int) -> None:
        """See ``DeadLetterStore.fail``."""
        self._disk.write()
        letters = self._letters.get(id, {})
        letters.update({each.number: each._replace(retry=False) for each in letters.values()})
        if number in letters:
            failed = letters[number]
            letters[number] = failed._replace(attempts=failed.attempts + 1, problem=problem, at_ms=at_ms)

    def forget(self, id: str) -> None:
        """Drop all that belongs to a webhook, the count of what made room included."""
        self._letters.pop(id, None)
        del self._dropped[id]

    def _chosen(self, id: str, number: int | None) -> list[Letter]:
        return [each for each in self._letters.get(id, {}).values() if number is None or each.number == number]


def _surplus(letters: Sequence[Letter]) -> int:
    """How many of the oldest letters make room: all that are neither the newest nor within both bounds."""
    kept_bytes = kept = 0
    for letter in reversed(letters):
        kept_bytes += len((letter.body or "").encode())
        if kept and (kept == LETTERS_MAX or kept_bytes > LETTER_BYTES_MAX):
            break
        kept += 1
    return len(letters) - kept
