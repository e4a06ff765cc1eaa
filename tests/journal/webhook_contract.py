"""What every store of webhooks does. A body inherits these tests and says how it is opened and made to fail."""

from contextlib import AbstractContextManager

import pytest

from rollbook.errors import JournalUnavailable
from rollbook.journal.memory.webhooks import MemoryWebhookStore
from rollbook.journal.store_transfers import copy_webhooks
from rollbook.journal.webhook_store import LETTERS_MAX, Letter, Progress, WebhookRow, WebhookStore

ROW = WebhookRow("hook", 1, 2, '{"url": "https://example.net/"}', "whsec_x")
MEBIBYTE = 1024 * 1024


def bury(store: WebhookStore, revision: int, body: str | None = "{}", *, id: str = "hook") -> None:
    letter = Letter(0, "undelivered", revision, revision, 5, 3, "why", body=body)
    store.letters.bury(id, letter, Progress(revision))


def revisions(store: WebhookStore, id: str = "hook") -> list[int]:
    return [letter.revision for letter in store.letters.all(id)]


class WebhookStoreContract:
    """The fixture ``store`` gives an empty one."""

    def reopened(self, store: WebhookStore) -> WebhookStore:
        """The store after a restart. One that ends with its process is the same."""
        raise NotImplementedError

    def failing(self, store: WebhookStore) -> AbstractContextManager[None]:
        """A block in which the disk has no room."""
        raise NotImplementedError

    def test_a_new_store_is_empty(self, store: WebhookStore) -> None:
        assert store.load() == []
        assert store.letters.counts() == {}
        assert store.letters.all("hook") == []
        assert store.letters.due("hook") is None
        store.forget("hook")

    def test_a_copy_has_the_same_webhooks_and_dead_letters(self, store: WebhookStore) -> None:
        store.save(ROW, Progress(0))
        store.save(ROW._replace(id="twin"), Progress(3, 1, 2))
        for revision in (5, 6, 7):
            bury(store, revision)
        store.letters.retry("hook", store.letters.all("hook")[1].number)
        copy = MemoryWebhookStore()
        copy.save(ROW._replace(id="other"), Progress(9))
        copy.save(ROW._replace(secret="whsec_old"), Progress(9))
        for source, into in ((store, copy), (copy, store)):
            assert copy_webhooks(source, into) == 2
        assert store.load() == copy.load()
        assert (revisions(store), revisions(copy)) == ([5, 6, 7], [5, 6, 7])
        due, same = store.letters.due("hook"), copy.letters.due("hook")
        assert due is not None
        assert same is not None
        assert due._replace(number=0) == same._replace(number=0)
        assert (due.revision, due.body) == (6, "{}")

    def test_webhooks_come_back_as_they_were_saved_in_order_of_creation(self, store: WebhookStore) -> None:
        later = WebhookRow("early", 2, 2, "{}", "whsec_y", '[["whsec_z", 3]]')
        twin = ROW._replace(id="twin")
        progress = Progress(7, 1, 2, 3, 4, 5, 6, "error", 8)
        for row in (later, twin, ROW):
            store.save(row, progress)
        again = self.reopened(store)
        assert again.load() == [(ROW, progress), (twin, progress), (later, progress)]
        again.close()

    def test_a_webhook_takes_the_place_of_the_one_with_its_id(self, store: WebhookStore) -> None:
        store.save(ROW, Progress(1))
        bury(store, 2)
        store.save(ROW._replace(secret="whsec_new"), Progress(3))
        assert [(row.secret, progress) for row, progress in store.load()] == [("whsec_new", Progress(3))]
        assert revisions(store) == [2]

    def test_progress_is_kept_of_webhooks_that_are_there(self, store: WebhookStore) -> None:
        store.save(ROW, Progress(0))
        store.keep([("hook", Progress(9)), ("gone", Progress(10))])
        assert store.load() == [(ROW, Progress(9))]
        store.keep([])
        assert store.load() == [(ROW, Progress(9))]

    def test_what_belongs_to_a_forgotten_webhook_is_forgotten_and_not_kept_again(self, store: WebhookStore) -> None:
        for id in ("hook", "other"):
            store.save(ROW._replace(id=id), Progress(0))
            bury(store, 1, id=id)
        store.forget("hook")
        bury(store, 2)
        store.keep([("hook", Progress(3))])
        assert [row.id for row, _ in store.load()] == ["other"]
        assert store.letters.counts() == {"other": (1, 0)}
        store.save(ROW, Progress(4))
        assert store.load()[0] == (ROW, Progress(4))
        assert (revisions(store), revisions(store, "other")) == ([], [1])
        assert store.letters.counts() == {"hook": (0, 0), "other": (1, 0)}

    def test_a_letter_is_kept_with_the_progress_past_it(self, store: WebhookStore) -> None:
        store.save(ROW, Progress(0))
        given = Letter(99, "compacted", 1, 4, 5, 6, "gone", retry=True, body='{"a": "é"}')
        store.letters.bury("hook", given, Progress(4, missed_up_to=4))
        store = self.reopened(store)
        assert store.load() == [(ROW, Progress(4, missed_up_to=4))]
        (listed,) = store.letters.all("hook")
        assert listed == given._replace(number=listed.number, retry=False, body=None)
        assert store.letters.get("hook", listed.number) == listed._replace(body='{"a": "é"}')
        assert store.letters.get("other", listed.number) is None
        assert store.letters.get("hook", listed.number + 1) is None
        store.close()

    def test_numbers_of_letters_go_up_and_are_not_used_twice(self, store: WebhookStore) -> None:
        store.save(ROW, Progress(0))
        for revision in (1, 2):
            bury(store, revision)
        first, second = (letter.number for letter in store.letters.all("hook"))
        assert store.letters.drop("hook") == 2
        bury(store, 3)
        (third,) = (letter.number for letter in store.letters.all("hook"))
        assert first < second < third

    def test_letters_are_dropped_one_by_one_or_all(self, store: WebhookStore) -> None:
        for id in ("hook", "other"):
            store.save(ROW._replace(id=id), Progress(0))
            for revision in (1, 2, 3):
                bury(store, revision, id=id)
        number = store.letters.all("hook")[1].number
        assert store.letters.drop("other", number) == 0
        assert store.letters.drop("hook", number) == 1
        assert store.letters.drop("hook", number) == 0
        assert revisions(store) == [1, 3]
        assert store.letters.drop("hook") == 2
        assert store.letters.counts() == {"hook": (0, 0), "other": (3, 0)}

    def test_the_oldest_letters_make_room_for_new_ones_and_are_counted(self, store: WebhookStore) -> None:
        store.save(ROW, Progress(0))
        for revision in range(1, LETTERS_MAX + 3):
            bury(store, revision)
        assert revisions(store) == list(range(3, LETTERS_MAX + 3))
        assert store.letters.counts() == {"hook": (LETTERS_MAX, 2)}

    def test_letters_are_bounded_in_bytes_but_the_newest_is_kept(self, store: WebhookStore) -> None:
        store.save(ROW, Progress(0))
        bury(store, 1, body="x" * 16 * MEBIBYTE)
        bury(store, 2, body="é" * 8 * MEBIBYTE)
        assert revisions(store) == [1, 2]
        bury(store, 3, body="x")
        assert revisions(store) == [2, 3]
        bury(store, 4, body="x" * 40 * MEBIBYTE)
        assert revisions(store) == [4]
        assert store.letters.counts() == {"hook": (1, 3)}

    def test_a_letter_without_a_message_is_not_tried_again(self, store: WebhookStore) -> None:
        store.save(ROW, Progress(0))
        bury(store, 1, body=None)
        bury(store, 2)
        without, whole = (letter.number for letter in store.letters.all("hook"))
        assert store.letters.retry("hook", without) == 0
        assert store.letters.retry("other", whole) == 0
        assert store.letters.due("hook") is None
        assert store.letters.retry("hook") == 1
        due = store.letters.due("hook")
        assert due is not None
        assert (due.number, due.revision, due.retry, due.body) == (whole, 2, True, "{}")

    def test_the_oldest_letter_is_due_first_and_a_failure_ends_the_retries_of_all(self, store: WebhookStore) -> None:
        for id in ("hook", "other"):
            store.save(ROW._replace(id=id), Progress(0))
            for revision in (1, 2):
                bury(store, revision, id=id)
            store.letters.retry(id)
        due = store.letters.due("hook")
        assert due is not None
        assert due.revision == 1
        store.letters.fail("hook", due.number, problem="again", at_ms=9)
        assert store.letters.due("hook") is None
        facts = [(letter.attempts, letter.problem, letter.at_ms) for letter in store.letters.all("hook")]
        assert facts == [(4, "again", 9), (3, "why", 5)]
        assert store.letters.due("other") is not None

    def test_a_failure_of_another_s_letter_leaves_that_letter(self, store: WebhookStore) -> None:
        for id in ("hook", "other"):
            store.save(ROW._replace(id=id), Progress(0))
        bury(store, 1, id="other")
        (letter,) = store.letters.all("other")
        store.letters.fail("hook", letter.number, problem="again", at_ms=9)
        assert store.letters.all("other") == [letter]

    def test_a_full_disk_refuses_and_keeps_what_was_there(self, store: WebhookStore) -> None:
        store.save(ROW, Progress(1))
        with self.failing(store), pytest.raises(JournalUnavailable):
            bury(store, 2, body="x" * 100_000)
        assert store.load() == [(ROW, Progress(1))]
        assert store.letters.all("hook") == []
        bury(store, 2, body="x" * 100_000)
        assert store.load() == [(ROW, Progress(2))]

    def test_closing_twice_is_harmless(self, store: WebhookStore) -> None:
        store.close()
        store.close()
