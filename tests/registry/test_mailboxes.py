"""Mailboxes: messages in order, bounded for each reader and for all of them, and never lost in silence."""

import asyncio

import pytest

from rollbook.registry.feed.change_events import Message
from rollbook.registry.watching import mailboxes
from rollbook.registry.watching.mailboxes import Mailbox, Mailroom


def message(revision: int, size_bytes: int = 1) -> Message:
    """A message of so many bytes."""
    return Message(revision, "updated", b"x" * size_bytes)


def revisions(mailbox: Mailbox) -> list[int]:
    """The revisions of what is taken at once."""
    return [each.revision for each in mailbox.take()]


def test_what_is_not_later_than_the_beginning_is_not_taken_in() -> None:
    mailbox = Mailroom().open("document", after=2)
    for revision in (1, 2, 3):
        mailbox.put(message(revision))
    assert revisions(mailbox) == [3]


def test_a_reader_takes_a_little_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes, "TAKEN_BYTES_MAX", 10)
    room = Mailroom()
    mailbox = room.open("document", after=0)
    for revision in range(1, 5):
        mailbox.put(message(revision, 5))
    assert (revisions(mailbox), revisions(mailbox), revisions(mailbox)) == ([1, 2], [3, 4], [])
    assert (mailbox.bytes_held, room.bytes_held) == (0, 0)


@pytest.mark.parametrize(("messages_max", "bytes_max"), [(2, 100), (100, 10)])
def test_a_full_mailbox_is_emptied_for_good(monkeypatch: pytest.MonkeyPatch, messages_max: int, bytes_max: int) -> None:
    monkeypatch.setattr(mailboxes, "MAILBOX_MESSAGES_MAX", messages_max)
    monkeypatch.setattr(mailboxes, "MAILBOX_BYTES_MAX", bytes_max)
    room = Mailroom()
    mailbox = room.open("document", after=0)
    for revision in (1, 2):
        mailbox.put(message(revision, 5))
    assert not mailbox.lost

    for revision in (3, 4):
        mailbox.put(message(revision, 5))

    assert (mailbox.lost, mailbox.has_news, revisions(mailbox), room.bytes_held) == (True, True, [], 0)


def test_a_message_in_many_mailboxes_is_held_once() -> None:
    room = Mailroom()
    several = [room.open("document", after=0) for _ in range(3)]
    one = message(1, 7)
    for mailbox in several:
        mailbox.put(one)
    assert room.bytes_held == 7

    several[0].take()
    room.close(several[1])
    assert room.bytes_held == 7
    several[2].lose()
    assert room.bytes_held == 0


def test_when_all_together_hold_too_much_the_fullest_gives_way() -> None:
    room = Mailroom(bytes_max=10)
    full, other = room.open("document", after=0), room.open("document", after=0)
    for revision in (1, 2):
        full.put(message(revision, 4))
    other.put(message(3, 4))
    assert (full.lost, other.lost, room.bytes_held) == (True, False, 4)


async def test_a_waiting_reader_is_woken_by_a_message_by_a_loss_and_by_name() -> None:
    for wake in (lambda box: box.put(message(1)), Mailbox.lose, Mailbox.wake):
        mailbox = Mailroom().open("document", after=0)
        asyncio.get_running_loop().call_later(0.01, wake, mailbox)
        await asyncio.wait_for(mailbox.wait(60), timeout=5)


async def test_a_reader_with_news_does_not_wait() -> None:
    mailbox = Mailroom().open("document", after=0)
    mailbox.put(message(1))
    await asyncio.wait_for(mailbox.wait(60), timeout=5)
    mailbox.take()
    await mailbox.wait(0.001)
    assert not mailbox.has_news


def test_a_mailbox_that_loses_what_it_holds_is_counted_once_and_one_that_is_closed_is_not() -> None:
    room = Mailroom()
    lost, closed = (room.open("document", after=0) for _ in range(2))
    for _ in range(2):
        lost.lose()
    room.close(lost)
    room.close(closed)
    assert room.overflows == 1


def test_of_several_messages_those_that_are_not_later_than_the_beginning_are_left_out() -> None:
    room = Mailroom()
    mailbox = room.open("document", after=2)
    mailbox.put(message(1, 5), message(2, 5), message(3, 5))
    assert (room.bytes_held, revisions(mailbox)) == (5, [3])
