"""How a noun's operations become methods, of clients that wait and of clients that await.

Theory: an operation is a function that makes a call. A noun lists its operations once, as descriptors; a group that
waits gives each as a method that returns its result, a group that awaits as one that returns an awaitable of it. So the
two clients have the same methods with the same signatures, and nothing is written twice.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from rollbook.client.calls import Call, Stream

P = ParamSpec("P")
T = TypeVar("T")


class Sender(Protocol):
    """Sends a call and waits for its answer."""

    def send(self, call: Call[T]) -> T: ...
    def stream(self, stream: Stream[T]) -> Iterator[T]: ...


class AsyncSender(Protocol):
    """Sends a call, and is awaited."""

    def send(self, call: Call[T]) -> Awaitable[T]: ...
    def stream(self, stream: Stream[T]) -> AsyncIterator[T]: ...


class Waiting:
    """The operations of a noun on a client that waits."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender


class Awaiting:
    """The operations of a noun on a client that is awaited."""

    def __init__(self, sender: AsyncSender) -> None:
        self.sender = sender


class operation(Generic[P, T]):  # noqa: N801  (it reads as a decorator does)
    """A method that sends the call which ``make`` makes."""

    def __init__(self, make: Callable[P, Call[T]]) -> None:
        self.make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, group: Waiting, owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(self, group: Awaiting, owner: Any) -> Callable[P, Awaitable[T]]: ...
    @overload
    def __get__(self, group: None, owner: Any) -> "operation[P, T]": ...
    def __get__(self, group: Any, owner: Any) -> Any:
        if group is None:
            return self

        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return group.sender.send(self.make(*args, **kwargs))

        method.__doc__, method.__name__ = self.make.__doc__, self.make.__name__
        return method


class streamed(Generic[P, T]):  # noqa: N801
    """A method that iterates over the stream which ``make`` makes. The request is sent with the first step."""

    def __init__(self, make: Callable[P, Stream[T]]) -> None:
        self.make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, group: Waiting, owner: Any) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, group: Awaiting, owner: Any) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, group: None, owner: Any) -> "streamed[P, T]": ...
    def __get__(self, group: Any, owner: Any) -> Any:
        if group is None:
            return self

        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return group.sender.stream(self.make(*args, **kwargs))

        method.__doc__, method.__name__ = self.make.__doc__, self.make.__name__
        return method
