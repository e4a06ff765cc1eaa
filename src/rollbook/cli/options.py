"""Options that several commands have."""

from typing import Annotated

import typer

DataOption = Annotated[
    str | None,
    typer.Option("--data", metavar="DIR", help="The data directory [default: $ROLLBOOK_DATA, or ./data]."),
]
UrlOption = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="Use the running server at this address, over HTTP.")
]
