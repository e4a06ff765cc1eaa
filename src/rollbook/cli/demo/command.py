"""``rollbook demo``: what a person sees of it, and how it ends.

One rule: whatever ends a demo, Ctrl-C, ``rollbook demo stop`` or an error, what it made is removed, unless ``--keep``
is given. To stop is to remove what demos have made: a demo whose clusters are gone ends.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from rollbook.cli.demo.living import LivingFleet
from rollbook.cli.demo.marking import make_clusters, remove_clusters
from rollbook.cli.demo.surroundings import make_surroundings, remove_surroundings
from rollbook.cli.exits import FAILED
from rollbook.cli.nouns.verbs import ContextOption, TokenFileOption, UrlOption
from rollbook.cli.targets import Target, target_of
from rollbook.cli.terminal import progress, say, warn
from rollbook.client import AsyncClient
from rollbook.errors import RegistryUnreachable

SAY_EVERY_SECONDS = 10
CLUSTERS_MAX = 1_000_000
REFUSED_SHOWN_MAX = 5


class Action(StrEnum):
    """What to do with a demo other than to run it."""

    STOP = "stop"


def demo(
    action: Annotated[
        Action | None, typer.Argument(metavar="[stop]", help="stop: end the demos of this registry, wherever they run.")
    ] = None,
    clusters: Annotated[
        int, typer.Option("--clusters", min=1, max=CLUSTERS_MAX, metavar="N", help="How many clusters.")
    ] = 10_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed makes the same fleet.")] = 1,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0, metavar="SECONDS", help="End after so long, not at Ctrl-C.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the fleet there at the end.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="As stop: remove what demos have made, and end.")] = False,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    context: ContextOption = None,
) -> None:
    """Fill a running registry with a made-up fleet that lives.

    Creates clusters whose ids begin with demo-, two webhooks and, in a registry that asks for tokens, two of these.
    Sends heartbeats, and lets nodes join, clusters fail and people change things, until Ctrl-C or `rollbook demo
    stop`. Then what it made is removed, and nothing else.
    """
    target = target_of(url, token_file, context)
    asyncio.run(
        _run(target, clusters, seed=seed, seconds=seconds, keep=keep, only_remove=remove or action is Action.STOP)
    )


async def _run(target: Target, count: int, *, seed: int, seconds: float | None, keep: bool, only_remove: bool) -> None:
    async with AsyncClient(target.url, token=target.token) as client:
        if only_remove:
            await _remove(client, None)
            return
        with stopping() as stop:
            try:
                await _live(client, count, seed=seed, seconds=seconds, stop=stop)
            finally:
                if keep:
                    say("the fleet stays; `rollbook demo stop` removes it")
                else:
                    await _remove(client, seed)


async def _live(client: AsyncClient, count: int, *, seed: int, seconds: float | None, stop: asyncio.Event) -> None:
    with progress("creating", total=count) as advance:
        ids = await make_clusters(client, count, seed=seed, stop=stop, advance=advance)
    await make_surroundings(client)
    fleet = LivingFleet(client, ids, seed=seed)
    say(f"{len(ids)} clusters; Ctrl-C ends the demo")
    async with _reporting(fleet):
        await fleet.wake(stop)
        await fleet.live(stop, seconds)
    if not fleet.ids:
        say("somebody else has removed the fleet")


@asynccontextmanager
async def _reporting(fleet: LivingFleet) -> AsyncIterator[None]:
    """Say how it goes from time to time, and what was refused at the end."""

    async def report() -> None:
        while True:
            await asyncio.sleep(SAY_EVERY_SECONDS)
            say(str(fleet))

    task = asyncio.create_task(report())
    try:
        yield
    finally:
        task.cancel()
        say(str(fleet))
        for message, times in list(fleet.refused.items())[:REFUSED_SHOWN_MAX]:
            warn(f"{times} times: {message}")


async def _remove(client: AsyncClient, seed: int | None) -> None:
    try:
        removal = await remove_clusters(client, seed)
        await remove_surroundings(client)
    except RegistryUnreachable:
        warn("the clusters of the demo stay there; `rollbook demo stop` removes them")
        raise
    say(f"{removal.removed} clusters removed")
    for id, problem in list(removal.refused.items())[:REFUSED_SHOWN_MAX]:
        warn(f"{id} stays: {problem}")
    if removal.refused:
        raise typer.Exit(FAILED)


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second one cancels the task."""
    loop, stop, task = asyncio.get_running_loop(), asyncio.Event(), asyncio.current_task()
    assert task is not None

    def ask_to_stop() -> None:
        if stop.is_set():
            task.cancel()
        stop.set()

    signals = (signal.SIGINT, signal.SIGTERM)
    for name in signals:
        loop.add_signal_handler(name, ask_to_stop)
    try:
        yield stop
    finally:
        for name in signals:
            loop.remove_signal_handler(name)
