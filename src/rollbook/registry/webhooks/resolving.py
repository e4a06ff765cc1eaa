"""Connections to targets: a name is resolved, its addresses are judged, and one that passed is connected to.

One rule: what is connected to is an address that was judged, never a name. A name that means something else a moment
later (DNS rebinding) gains nothing by it.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import TypeAlias

import httpcore

from rollbook.registry.webhooks.addresses import Address, problem_with
from rollbook.setting_values import AllowedNetworks

RESOLVER_THREADS = 32
ADDRESSES_TRIED_MAX = 4

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[Address]]]
SocketOption: TypeAlias = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class AddressRefused(httpcore.ConnectError):
    """Nothing may be sent to any address of the host."""


class SystemResolver:
    """Asks the system for the addresses of a host, on threads of its own: a slow name server holds up nobody else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="rollbook-resolver")

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        """The addresses, in the order in which they are best tried. Fails with OSError or UnicodeError."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [ip_address(str(place[0])) for *_, place in found]

    def close(self) -> None:
        """Release the threads; what is still being asked for is of no interest any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class JudgedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections for httpcore, only to addresses that may be reached."""

    def __init__(self, resolve: Resolve, allowed: AllowedNetworks) -> None:
        self._resolve = resolve
        self._allowed = allowed
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """See ``httpcore.AsyncNetworkBackend``. Refuses (AddressRefused) a host without an address to be reached."""
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in (await self._judged(host, port))[:ADDRESSES_TRIED_MAX]:
            try:
                return await self._backend.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def connect_unix_socket(self, *_: object, **__: object) -> httpcore.AsyncNetworkStream:
        """No target is a file."""
        raise AddressRefused("a file of this machine is no target")

    async def sleep(self, seconds: float) -> None:
        """See ``httpcore.AsyncNetworkBackend``."""
        await asyncio.sleep(seconds)

    async def _judged(self, host: str, port: int) -> list[Address]:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} can't be resolved: {error}") from None
        problems = {address: problem_with(address, self._allowed) for address in found}
        usable = [address for address, problem in problems.items() if problem is None]
        if problems and not usable:
            raise AddressRefused("; ".join(problem for problem in problems.values() if problem)[:ADDRESSES_SAID_LENGTH])
        return usable


ADDRESSES_SAID_LENGTH = 300
