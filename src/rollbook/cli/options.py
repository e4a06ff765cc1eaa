"""Options that several commands have."""

from typing import Annotated

import typer

DataOption = Annotated[
    str | None,
    typer.Option("--data", metavar="DIR", help="The data directory [default: $ROLLBOOK_DATA, or ./data]."),
]
JournalOption = Annotated[
    str | None,
    typer.Option(
        "--journal",
        metavar="TARGET",
        help="Where the journal is: embedded, or postgresql://... [default: $ROLLBOOK_JOURNAL, or embedded].",
    ),
]
UrlOption = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="Use the running server at this address, over HTTP.")
]
