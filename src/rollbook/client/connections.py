"""A registry's address, and what the HTTP library's answers and failures mean: what both clients share.

One rule: nothing here sends anything.
"""

import socket
import ssl
import time
from typing import Any
from urllib.parse import quote
from urllib.request import getproxies

import httpx2

from rollbook.client.calls import Answer, Call, Headers, Stream, Warn
from rollbook.client.replies import check, warnings_in
from rollbook.client.retrying import Failure, Retries
from rollbook.errors import RegistryUnreachable, SettingRefused

TIMEOUT = httpx2.Timeout(30.0, connect=5.0)
NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    OverflowError,
    ExceptionGroup,
)
FAILURES = (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, RuntimeError, OverflowError, ExceptionGroup)
"""What the HTTP library raises: RuntimeError when the client is closed, and OverflowError, alone or in a group, when a
connection is to be made to a port that can't be."""

CANNOT_BE_MADE = (ValueError, ImportError, OSError, httpx2.InvalidURL)
"""What it raises for a proxy or a file of certificates, which the environment names, that can't be used."""


class Connection:
    """What both clients know of the registry's address, and how answers and failures are understood."""

    def __init__(
        self, url: str, token: str | None, reason: str | None, retries: Retries, warn: Warn | None = None
    ) -> None:
        self.warn = warn
        self.address = _address(url)
        self.shown = str(self.address.copy_with(username=None, password=None)).rstrip("/")
        self.retries = retries
        self.headers = {
            name: value
            for name, value in (
                ("x-reason", quote(reason) if reason else None),
                ("authorization", f"Bearer {token}" if token else None),
            )
            if value is not None
        }

    def options(self, timeout: httpx2.Timeout) -> dict[str, Any]:
        """How the HTTP library's client is made."""
        options = {"base_url": self.address, "timeout": timeout, "headers": self.headers}
        if self.address.scheme == "http" and not getproxies():
            options["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reading certificates takes 30 ms, for nothing
        return options

    def request(self, call: Call[Any]) -> dict[str, Any]:
        """What the HTTP library is asked to send."""
        headers = dict(call.headers)
        if call.body is not None:
            headers.setdefault("content-type", "application/json")
        asked = {"method": call.method, "url": call.target, "headers": headers, "content": call.body}
        return asked if call.read_seconds is None else {**asked, "timeout": timeout_of(call.read_seconds)}

    def pause(
        self, attempt: int, outcome: Answer | Exception, call: Call[Any], retries: Retries | None
    ) -> float | None:
        """Seconds until the call is sent again; None: the outcome stands."""
        retries = retries or self.retries
        if isinstance(outcome, Answer):
            return retries.pause_after_answer(attempt, outcome, time.time(), repeatable=call.repeatable)
        failure: Failure = "not sent" if isinstance(outcome, NOT_SENT) else "no answer"
        if isinstance(outcome, RuntimeError):
            return None
        return retries.pause_after_failure(attempt, failure, repeatable=call.repeatable)

    def pause_in(self, stream: Stream[Any], attempt: int, refused: Answer | None) -> float | None:
        """Seconds until a stream is asked for again; None: it is to be read now. Raises what refuses it for good."""
        if refused is None:
            return None
        pause = self.pause(attempt, refused, stream.call, None) if stream.waits else None
        if pause is None:
            check(refused)
        return pause

    def heed(self, headers: Headers) -> None:
        """Hand on what an answer warns of."""
        if self.warn is not None:
            for warning in warnings_in(headers):
                self.warn(warning)

    def unreachable(self, error: Exception, call: Call[Any]) -> RegistryUnreachable:
        """A failure of the HTTP library, in our words."""
        words = str(error) or type(error).__name__
        if isinstance(error, RuntimeError) and not isinstance(error, httpx2.StreamError):
            return RegistryUnreachable(f"the client of {self.shown} is closed")
        if isinstance(error, NOT_SENT):
            return RegistryUnreachable(f"no connection to {self.shown}, nothing was sent: {words}")
        if call.repeatable:
            return RegistryUnreachable(f"no answer came from {self.shown}: {words}")
        lost = RegistryUnreachable(f"no answer came from {self.shown}; what was asked may have been done: {words}")
        lost.may_be_done = True
        return lost


def no_client(error: Exception) -> SettingRefused:
    """The refusal of an environment in which the HTTP library can't be used."""
    return SettingRefused(f"no client can be made; is a proxy, or SSL_CERT_FILE, set in the environment? {error}")


def answer_of(response: httpx2.Response, body: bytes) -> Answer:
    return Answer(response.status_code, response.reason_phrase, headers_in(response), body)


def headers_in(response: httpx2.Response) -> Headers:
    """The headers of an answer, with names in lower case."""
    return [(name.lower(), value) for name, value in response.headers.multi_items()]


def timeout_of(seconds: float | None) -> httpx2.Timeout:
    return TIMEOUT if seconds is None else httpx2.Timeout(seconds, connect=min(seconds, 5.0))


def interrupt(response: httpx2.Response) -> None:
    """Wake the thread that waits for more of an answer; to it, the connection was lost."""
    stream = response.extensions.get("network_stream")
    own = stream.get_extra_info("socket") if stream is not None else None
    try:
        if own is not None:
            own.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it was closed already


def _address(url: str) -> httpx2.URL:
    try:
        address = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise SettingRefused(f"the address of a registry must be a URL: {error}") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise SettingRefused(f"the address of a registry must look like http://localhost:3000, not {url!r}")
    return address
