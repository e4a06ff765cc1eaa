"""Where a request that a browser sends comes from: this registry's own pages, or somebody else's.

Theory: a page of another origin can make a browser send requests with whatever it holds for this address: a cookie, the
password of Basic, its place on the same machine. A browser says so, in ``Sec-Fetch-Site`` or at least in ``Origin``; a
program that is no browser sends neither.

One rule: what changes something is never done for another origin.
"""

from collections.abc import Mapping

from rollbook.errors import CrossOriginRefused

SAFE_METHODS = frozenset({b"GET", b"HEAD", b"OPTIONS"})
OWN_SITES = (b"same-origin", b"none")
"""What ``Sec-Fetch-Site`` is for our own pages, and for what the user of a browser does."""


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
