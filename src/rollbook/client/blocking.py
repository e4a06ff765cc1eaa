"""The client for callers that wait: a registry at a URL, and the sending of calls to it.

One rule: a method returns what the registry answered, or raises what it refused with. What is no answer of a registry
(no connection, a time-out, another server's page) is RegistryUnreachable, and says whether what was asked may have been
done.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import httpx2

from rollbook.client.beating import Heartbeater
from rollbook.client.calls import Answer, Call, Json, Stream, Warn
from rollbook.client.changing import ATTEMPTS_MAX, changing
from rollbook.client.connections import (
    CANNOT_BE_MADE,
    FAILURES,
    Connection,
    answer_of,
    headers_in,
    interrupt,
    no_client,
    timeout_of,
)
from rollbook.client.informing import Informer
from rollbook.client.nouns import WaitingNouns
from rollbook.client.replicas import IndexKey
from rollbook.client.replies import Reply
from rollbook.client.retrying import DEFAULT_RETRIES, Retries
from rollbook.client.steps import Pause, Steps
from rollbook.client.watching import Position, Watch
from rollbook.errors import RegistryError

T = TypeVar("T")


class Client(WaitingNouns):
    """A registry at a URL, for callers that wait. Thread-safe; close it, or use it as a context manager.

    A connection is made within 5 s, and each wait for the network ends after 30 s unless ``timeout_seconds`` says
    otherwise. ``reason`` goes into the history of every cluster that this client writes. ``hooks`` are called with each
    request before it is sent, and ``warn`` with each warning of an answer.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        reason: str | None = None,
        timeout_seconds: float | None = None,
        retries: Retries = DEFAULT_RETRIES,
        transport: httpx2.BaseTransport | None = None,
        hooks: Sequence[Callable[[httpx2.Request], Any]] = (),
        warn: Warn | None = None,
    ) -> None:
        self._connection = Connection(url, token, reason, retries, warn)
        options = self._connection.options(timeout_of(timeout_seconds))
        try:
            self._http = httpx2.Client(**options, transport=transport, event_hooks={"request": list(hooks)})
        except CANNOT_BE_MADE as error:
            raise no_client(error) from None
        self._responses: dict[int, httpx2.Response] = {}
        super().__init__()

    @property
    def shown(self) -> str:
        """The address of the registry, without a name and a password."""
        return self._connection.shown

    def send(self, call: Call[T], *, retries: Retries | None = None) -> T:
        """Send a call, again where that is safe, and return its result. Raises the registry's refusal."""
        attempt = 0
        while True:
            attempt += 1
            try:
                with self._http.stream(**self._connection.request(call)) as response:
                    outcome: Answer | Exception = answer_of(response, response.read())
            except FAILURES as error:
                outcome = error
            pause = self._connection.pause(attempt, outcome, call, retries)
            if pause is None:
                if isinstance(outcome, Answer):
                    self._connection.heed(outcome.headers)
                    return call.read(outcome)
                raise self._connection.unreachable(outcome, call) from outcome
            time.sleep(pause)

    def stream(self, stream: Stream[T], *, owner: object = None) -> Iterator[T]:
        """The values of an answer, as they arrive; until its ``owner``, if it has one, is interrupted."""
        call, decoder, attempt = stream.call, stream.decoder(), 0
        pause: float | None = 0.0
        while pause is not None:
            attempt += 1
            time.sleep(pause)
            try:
                with self._http.stream(**self._connection.request(call)) as response:
                    self._responses[id(owner)] = response
                    self._connection.heed(headers_in(response))
                    answer = None if response.is_success else answer_of(response, response.read())
                    pause = self._connection.pause_in(stream, attempt, answer)
                    if pause is not None:
                        continue
                    for data in response.iter_bytes():
                        yield from decoder.feed(data)
                    yield from decoder.end()
            except FAILURES as error:
                raise self._connection.unreachable(error, call) from error
            finally:
                self._responses.pop(id(owner), None)

    def interrupt(self, owner: object) -> None:
        """Wake the thread that reads the stream of ``owner``, which sees its connection lost."""
        response = self._responses.get(id(owner))
        if response is not None:
            interrupt(response)

    def run(self, steps: Steps[T]) -> T:
        """Send the calls of what takes several, and return what they come to."""
        outcome, error = None, None
        while True:
            try:
                step = steps.send(outcome) if error is None else steps.throw(error)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            outcome, error = None, None
            try:
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                else:
                    outcome = self.send(step)
            except RegistryError as refusal:
                error = refusal

    def change(
        self,
        id: str,
        function: Callable[[Json], Json | None],
        *,
        reason: str | None = None,
        attempts: int = ATTEMPTS_MAX,
    ) -> Reply:
        """Read a cluster, let ``function`` change its document, and write the difference; again, while others are
        faster.

        The function changes the document that it is given, or returns another one; it may be called several times.
        Raises PreconditionFailed when others were faster ``attempts`` times. Nothing is written where nothing differs.
        """
        return self.run(changing(id, function, reason=reason, attempts=attempts))

    def watch(
        self,
        filter: Json | None = None,
        *,
        since: int | None = None,
        detail: str | None = None,
        bookmarks: bool = False,
    ) -> Watch:
        """The changes of matching clusters as they happen, each once and in order, across lost connections.

        Begins after revision ``since``, or with what happens from the first step on. ``detail`` is ``document``,
        ``patch`` or ``both``. Raises Compacted when the history after the last event is gone: list again then.
        """
        return Watch(self, Position(filter, since, detail), bookmarks=bookmarks)

    def informer(self, filter: Json | None = None, *, index_by: Mapping[str, IndexKey] | None = None) -> Informer:
        """A copy of the matching clusters that is kept in step: ``with client.informer(...) as clusters:``.

        ``index_by`` names dotted paths, or functions of a document, by which ``by`` finds documents.
        """
        return Informer(self, filter, index_by=index_by)

    def heartbeater(
        self,
        id: str,
        *,
        every: float | None = None,
        ttl_seconds: int | None = None,
        nodes: Sequence[str] | None = None,
    ) -> Heartbeater:
        """Sends the heartbeats of a cluster, with ``every`` seconds between them: ``with client.heartbeater(...):``.

        Without ``every`` they are sent three times in ``ttl_seconds``, or every 10 seconds.
        """
        return Heartbeater(self, id, every=every, ttl_seconds=ttl_seconds, nodes=nodes)

    def close(self) -> None:
        """Close the connections. Closing twice is harmless."""
        self._http.close()
