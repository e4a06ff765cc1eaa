"""Where a request that a browser sends comes from: this registry's own pages, or somebody else's.

Theory: a page of another origin can make a browser send requests with whatever it holds for this address: a cookie, the
password of Basic, its place on the same machine. A browser says so, in ``Sec-Fetch-Site`` or at least in ``Origin``; a
program that is no browser sends neither.

One rule: what changes something is never done for another origin, but for those that the settings list. These send a
token themselves, for a browser adds nothing of its own where an answer does not allow credentials.
"""

from collections.abc import Collection, Mapping

from rollbook.errors import CrossOriginRefused

SAFE_METHODS = frozenset({b"GET", b"HEAD", b"OPTIONS"})
ALLOWED = b"access-control-allow-origin: %s\r\nvary: origin\r\n"
READABLE = b"access-control-expose-headers: *\r\n"
PREFLIGHT = (
    b"access-control-allow-methods: GET, HEAD, POST, PUT, PATCH, DELETE\r\n"
    b"access-control-allow-headers: authorization, content-type, accept, if-match, if-none-match, idempotency-key, "
    b"last-event-id, x-reason, x-request-id\r\n"
    b"access-control-max-age: 600\r\n"
)
OWN_SITES = (b"same-origin", b"none")
"""What ``Sec-Fetch-Site`` is for our own pages, and for what the user of a browser does."""


class AllowedOrigins:
    """The origins whose pages may ask and read the answers (CORS), with a token, and never with a cookie."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)

    def headers_for(self, method: bytes, known: Mapping[bytes, bytes]) -> bytes:
        """The headers that an answer has for a page that may read it; none for any other."""
        origin = known.get(b"origin", b"").lower()
        if origin not in self._origins:
            return b""
        is_preflight = method == b"OPTIONS" and b"access-control-request-method" in known
        return ALLOWED % origin + (PREFLIGHT if is_preflight else READABLE)


def check_origin(method: bytes, known: Mapping[bytes, bytes]) -> None:
    """Refuses (CrossOriginRefused) a request of another origin's page that may change something."""
    if method in SAFE_METHODS:
        return
    site, origin = known.get(b"sec-fetch-site"), known.get(b"origin")
    if not (site in OWN_SITES if site is not None else origin is None or is_own_origin(origin, known)):
        raise CrossOriginRefused("a page of another origin has sent this request: ask from a page of this registry")


def check_same_origin(method: bytes, known: Mapping[bytes, bytes]) -> None:
    """Refuses (CrossOriginRefused) a request with a cookie that may change something, unless our own page sent it."""
    if method in SAFE_METHODS:
        return
    site, origin = known.get(b"sec-fetch-site"), known.get(b"origin")
    if site == b"same-origin" or (site is None and origin is not None and is_own_origin(origin, known)):
        return
    raise CrossOriginRefused("with the cookie of a session, a change needs Sec-Fetch-Site: same-origin, or our Origin")


def is_own_origin(origin: bytes, known: Mapping[bytes, bytes]) -> bool:
    """Whether an origin is that of the address that was asked."""
    return origin.lower().partition(b"://")[2] == known.get(b"host", b"").lower() != b""
