"""What the service manager is sent: the server is ready, it is alive, it stops (the protocol of sd_notify(3)).

One rule: without a service manager nothing happens, and a manager that can't be reached is no reason to fail.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Mapping

READY, STOPPING, ALIVE = "READY=1", "STOPPING=1", "WATCHDOG=1"

logger = logging.getLogger(__name__)


def notify(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Send one state to the service manager that ``NOTIFY_SOCKET`` names, if there is one."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract address
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(state.encode(), address)
    except OSError as error:
        logger.warning("the service manager could not be notified of %s: %s", state, error)


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float | None:
    """How often the service manager wants to hear that this process is alive; None: it does not."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    with contextlib.suppress(ValueError):
        seconds = int(environment.get("WATCHDOG_USEC", "0")) / 1_000_000
        return seconds if seconds > 0 else None
    return None


@contextlib.asynccontextmanager
async def service_notified() -> AsyncIterator[None]:
    """For the length of the block the service manager knows that the server is ready, and that its event loop turns."""
    notify(READY)
    seconds = watchdog_seconds()
    heart = asyncio.create_task(_stay_alive(seconds / 2), name="rollbook-watchdog") if seconds else None
    try:
        yield
    finally:
        notify(STOPPING)
        if heart is not None:
            heart.cancel()


async def _stay_alive(every_seconds: float) -> None:
    while True:
        notify(ALIVE)
        await asyncio.sleep(every_seconds)
