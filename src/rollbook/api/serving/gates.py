"""Gates: what every request passes before a shortcut or the application sees it.

One rule: a gate decides from the headers alone and raises what it refuses. What differs from route to route it reads
off the row of the operation.

Theory: a page of somebody else can make a browser send requests to a registry on the same machine, under a name of its
own that it lets resolve to 127.0.0.1 (DNS rebinding). Such requests carry that name in ``Host``, so a listener on a
loopback address answers only to names that nobody else can own. The values of ``Host`` that passed are remembered: the
usual request costs one look into a set.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address

from rollbook.api.operations import streamed_paths
from rollbook.api.routing import Router
from rollbook.api.serving.body_limits import check_announced
from rollbook.api.serving.forwarding import client_behind, scheme_behind
from rollbook.api.serving.origins import AllowedOrigins, check_origin
from rollbook.api.serving.requests import IncomingRequest
from rollbook.errors import MisdirectedRequest, RequestRefused
from rollbook.security.identities import Identities
from rollbook.setting_values import LOOPBACK_NAMES
from rollbook.settings import Settings

SINGLE = (b"host", b"content-length", b"content-type", b"transfer-encoding", b"expect", b"authorization", b"cookie")
"""Headers that a request may have once: two of them could be read in two ways."""

AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(?::\d*)?")
REQUEST_ID = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}")
REMEMBERED_MAX = 256


class Gates:
    """The gates of one server. ``settings`` say which names it has, and ``identities`` which proxies it trusts."""

    def __init__(self, settings: Settings, router: Router, identities: Identities) -> None:
        self._router = router
        self._streamed = streamed_paths()
        self.body_bytes_max = settings.limits.body_bytes_max
        self._names = LOOPBACK_NAMES | settings.hosts
        self._checks_names = settings.is_loopback or bool(settings.hosts)
        self._identities = identities
        self._origins = AllowedOrigins(settings.origins)
        self._passed: set[bytes | None] = set()

    def check(self, request: IncomingRequest) -> None:
        """Refuses a request by its headers, once they are read. Gives it its id, and its client behind proxies."""
        known = request.known
        if b"x-request-id" in known and REQUEST_ID.fullmatch(known[b"x-request-id"]):
            request.id = known[b"x-request-id"].decode()
        if len(known) != len(request.headers):
            check_repeated(request)
        if not request.url.startswith(b"/"):
            self._check_target(request)
        if b"#" in request.url:
            raise RequestRefused("an address that is asked for has no fragment: write %23 for a # in a name")
        if request.known.get(b"host") not in self._passed:
            self._check_host(request)
        if b"origin" in known or b"sec-fetch-site" in known:
            request.cors = self._origins.headers_for(request.method, known)
            if not request.cors:
                check_origin(request.method, known)

    def check_framing(self, known: Mapping[bytes, bytes]) -> None:
        """Refuses a body that is announced too large, or in an encoding that nothing here understands."""
        check_announced(known, self.body_bytes_max)
        self.check_encoding(known)

    def check_encoding(self, known: Mapping[bytes, bytes]) -> None:
        """Refuses a body in an encoding that nothing here understands."""
        if b"content-length" not in known and known[b"transfer-encoding"].lower() != b"chunked":
            raise RequestRefused("the only Transfer-Encoding that is understood is chunked")

    def streams(self, request: IncomingRequest) -> bool:
        """Whether the request is answered while its body arrives."""
        return request.method == b"POST" and request.path in self._streamed

    def trusts(self, peer: str) -> bool:
        """Whether what ``peer`` says about its clients is believed."""
        proxies = self._identities.proxies
        try:
            return bool(proxies.networks) and ip_address(peer) in proxies
        except ValueError:
            return False

    def read_claims(self, request: IncomingRequest, peer: str) -> None:
        """Take over what a trusted ``peer`` says of the client that it forwards for: its address and its scheme."""
        request.client = client_behind(self._identities.proxies, request.headers, peer)
        request.scheme = scheme_behind(request.headers) or request.scheme

    def _check_target(self, request: IncomingRequest) -> None:
        """Take the absolute form of an address apart: its authority takes the place of ``Host`` (RFC 9112)."""
        if request.url == b"*" and request.method == b"OPTIONS":
            return
        scheme, _, rest = request.url.partition(b"://")
        authority, slash, path = rest.partition(b"/")
        if scheme.lower() not in (b"http", b"https") or b"host" not in request.known:
            raise RequestRefused("the address must begin with a slash")
        if not authority:
            raise RequestRefused("the address names no host")
        request.url = slash + path or b"/"
        request.known = {**request.known, b"host": authority}

    def _check_host(self, request: IncomingRequest) -> None:
        host = request.known.get(b"host")
        if host is None and request.version == "1.1":
            raise RequestRefused("there is no Host header, which HTTP/1.1 requires")
        found = AUTHORITY.fullmatch((host or b"").decode("latin-1"))
        if found is None:
            raise RequestRefused("the Host header is not a host name or IP address with an optional port")
        if host is not None and self._checks_names and not self._is_ours(found[1].lower().removesuffix(".")):
            operation = self._router.nearest(request.method.decode(), request.path)
            if operation is not None and operation.answers_any_host:
                return
            raise MisdirectedRequest(
                f"this registry does not answer to the name {found[1]!r}; list the names that it has in ROLLBOOK_HOSTS"
            )
        if len(self._passed) < REMEMBERED_MAX and (host is not None or not self._checks_names):
            self._passed.add(host)

    def _is_ours(self, name: str) -> bool:
        if name in self._names or name.endswith(".localhost"):
            return True
        try:
            ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return True


def check_repeated(request: IncomingRequest) -> None:
    """Refuses headers that come twice and may come once."""
    names = [name for name, _ in request.headers]
    for name in SINGLE:
        if names.count(name) > 1:
            raise RequestRefused(f"the header {name.decode().title()} is there twice")


def check_version(request: IncomingRequest) -> None:
    """Refuses what is neither HTTP/1.1 nor a sound HTTP/1.0."""
    if request.version != "1.0":
        raise RequestRefused("the request is not HTTP/1.1")
    if any(name == b"transfer-encoding" for name, _ in request.headers):
        raise RequestRefused("HTTP/1.0 has no Transfer-Encoding")
