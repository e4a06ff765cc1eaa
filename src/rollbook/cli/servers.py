"""``rollbook serve``: the registry over HTTP, until SIGTERM or Ctrl-C."""

import logging
import os
import signal
from typing import Annotated

import typer

from rollbook import running
from rollbook.api.serving.logs import configure_logging
from rollbook.cli.exits import DONE
from rollbook.cli.options import DataOption, JournalOption
from rollbook.cli.terminal import warn, warn_loudly
from rollbook.settings import Settings, misspelt_variables, settings_from

logger = logging.getLogger(__name__)


def serve(
    host: Annotated[
        str | None,
        typer.Option(metavar="HOST", help="The interface to listen on [default: $ROLLBOOK_HOST, or 127.0.0.1]."),
    ] = None,
    port: Annotated[
        str | None, typer.Option(metavar="PORT", help="The port to listen on [default: $PORT, or 3000].")
    ] = None,
    data: DataOption = None,
    journal: JournalOption = None,
) -> None:
    """Serve the registry over HTTP. SIGTERM or Ctrl-C finishes what is under way and stops."""
    settings = settings_from(os.environ, host=host, port=port, data=data, journal=journal)
    for misspelt, meant in misspelt_variables(os.environ).items():
        warn(f"{misspelt} is not a setting; {meant} is")
    if not settings.is_loopback and settings.security == "observe":
        warn_loudly("THIS REGISTRY IS OPEN TO THE NETWORK", open_to_all(settings))
    configure_logging(settings.log_level, settings.log_format)
    _be_ready_for_signals()
    logger.info("opening %s", settings.journal if settings.journal.is_shared else settings.data)
    running.serve(settings)
    logger.info("stopped")


def _be_ready_for_signals() -> None:
    """Until the server listens, a stop is at once: nothing is under way that a crash could hurt. SIGHUP is no stop."""

    def stop(number: int, _frame: object) -> None:
        logger.info("stopped by %s before it listened", signal.Signals(number).name)
        logging.shutdown()
        os._exit(DONE)

    def hang_up(_number: int, _frame: object) -> None:
        logger.info("SIGHUP is ignored: settings are read when the server starts, and there is no TLS certificate")

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, hang_up)


def open_to_all(settings: Settings) -> str:
    """What it means to listen on an interface that others reach while everybody passes."""
    return (
        f"It listens on {settings.host} port {settings.port}, and only observes who asks (ROLLBOOK_SECURITY=observe):\n"
        "everybody who reaches that address can read, change and delete every cluster.\n"
        "Its log says what would be refused. Leave the setting out once that is nothing you need."
    )
