"""The web console: its page at every address below ``/console``, and the files that the page names."""

from starlette.requests import Request
from starlette.responses import Response

from rollbook.api import headers
from rollbook.api.console_files import ASSETS, PAGE
from rollbook.api.declarations import Answer, Operation
from rollbook.api.handlers.about import OF_CONSOLE, pages_of
from rollbook.errors import RouteNotFound


async def read_console(request: Request) -> Response:
    """The page, which shows what its own address says; or one of its files."""
    files = pages_of(request).console
    path = request.path_params.get("page", "")
    wanted = path if path.startswith(ASSETS) else PAGE
    if wanted not in files:
        raise RouteNotFound(f"the console has no file {path[:200]!r}; / says what there is")
    return files[wanted].answer(request.headers)


CSS, HTML, JAVASCRIPT, SVG = "text/css", "text/html", "text/javascript", "image/svg+xml"
FILE = {"type": "string"}
OPERATIONS = tuple(
    Operation(
        name=name,
        method="GET",
        path=path,
        handler=read_console,
        tag="about",
        summary=summary,
        verb=None,
        headers=(headers.IF_NONE_MATCH,),
        answers=(
            Answer(200, meaning, FILE, OF_CONSOLE, media_types),
            Answer(304, "the caller has it", None, OF_CONSOLE),
        ),
        ignores_parameters=True,
    )
    for name, path, summary, meaning, media_types in (
        ("getConsole", "/console", "Open the web console", "the page", (HTML,)),
        (
            "getConsoleFile",
            "/console/{page:path}",
            "Open a screen of the web console",
            "the page, or a file below `assets/`",
            (HTML, JAVASCRIPT, CSS, SVG),
        ),
    )
)
