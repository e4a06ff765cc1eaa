"""Mailboxes: what waits for watchers to read it, bounded for each and for all.

One rule: nothing is lost in silence. A mailbox that holds too much is emptied for good and marked ``lost``; its reader
is informed, and reads again from where it was.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from msgspec import Struct, field

from rollbook.errors import LanguageRefused
from rollbook.registry.feed.change_events import Detail, Message
from rollbook.registry.feed.pacing import LoopTurns

MAILBOX_MESSAGES_MAX = 4096
MAILBOX_BYTES_MAX = 8 * 1024 * 1024
MAILROOM_BYTES_MAX = 256 * 1024 * 1024
TAKEN_BYTES_MAX = 64 * 1024


class Mailroom(Struct):
    """All mailboxes. ``bytes_held`` counts a message once, however many mailboxes it lies in.

    Readers go on when it is their turn: thousands may be due at once.
    """

    bytes_max: int = MAILROOM_BYTES_MAX
    turns: LoopTurns = field(default_factory=LoopTurns)
    bytes_held: int = 0
    overflows: int = 0
    """How many mailboxes have lost what they held."""
    _mailboxes: "set[Mailbox]" = field(default_factory=set)

    def open(self, form: Detail, *, after: int) -> "Mailbox":
        """A mailbox for messages later than revision ``after``; to be closed."""
        mailbox = Mailbox(self, form, after)
        self._mailboxes.add(mailbox)
        return mailbox

    def close(self, mailbox: "Mailbox") -> None:
        """Throw away what it holds, and give it up."""
        mailbox.empty()
        self._mailboxes.discard(mailbox)

    def hold(self, messages: Sequence[Message]) -> None:
        """Count messages that a mailbox took in; the fullest mailboxes give way when there are too many bytes."""
        for message in messages:
            message.holders += 1
            if message.holders == 1:
                self.bytes_held += len(message.body)
        while self.bytes_held > self.bytes_max:
            max(self._mailboxes, key=lambda mailbox: mailbox.bytes_held).lose()

    def release(self, message: Message) -> None:
        """Count a message that left a mailbox."""
        message.holders -= 1
        if message.holders == 0:
            self.bytes_held -= len(message.body)


class Mailbox(Struct, eq=False):
    """Messages later than revision ``after`` that wait for one reader. Made by ``Mailroom.open``.

    ``refusal`` says why its filter could not be evaluated, when that is why its messages are lost.
    """

    room: Mailroom
    form: Detail
    after: int
    lost: bool = False
    refusal: LanguageRefused | None = None
    bytes_held: int = 0
    _messages: deque[Message] = field(default_factory=deque)
    _waiter: asyncio.Future[None] | None = None
    _is_due: bool = False

    @property
    def has_news(self) -> bool:
        """Whether messages wait, or were lost."""
        return bool(self._messages) or self.lost

    def put(self, *messages: Message) -> None:
        """Add messages, in order; when there are too many, lose them all."""
        if self.lost:
            return
        if messages[0].revision <= self.after:
            messages = tuple(message for message in messages if message.revision > self.after)
            if not messages:
                return
        self._messages.extend(messages)
        self.bytes_held += sum([len(message.body) for message in messages])
        self.room.hold(messages)
        if len(self._messages) > MAILBOX_MESSAGES_MAX or self.bytes_held > MAILBOX_BYTES_MAX:
            self.lose()
        if self._waiter is not None and not self._is_due:
            self._is_due = True
            self.room.turns.soon(self.wake)

    def lose(self, refusal: LanguageRefused | None = None) -> None:
        """Drop what waits, for good: the reader will be sent an overflow."""
        self.room.overflows += not self.lost
        self.refusal = self.refusal or refusal
        self.empty()

    def empty(self) -> None:
        """Take no more messages, and throw away those that wait."""
        self.lost = True
        while self._messages:
            self.room.release(self._messages.popleft())
        self.bytes_held = 0
        self.wake()

    def take(self) -> Sequence[Message]:
        """The oldest messages that wait: one at least, and no more than a reader takes at once."""
        taken: list[Message] = []
        taken_bytes = 0
        while self._messages and taken_bytes < TAKEN_BYTES_MAX:
            message = self._messages.popleft()
            taken_bytes += len(message.body)
            taken.append(message)
            self.room.release(message)
        self.bytes_held -= taken_bytes
        return taken

    def wake(self) -> None:
        """Let the reader look again though nothing arrived."""
        self._is_due = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Return when there is news, or somebody wakes the reader, or after ``seconds``."""
        if self.has_news:
            return
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(max(seconds, 0), self.wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None
