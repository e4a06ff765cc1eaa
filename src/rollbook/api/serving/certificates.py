"""TLS: the certificate of the server, and the certificates of its clients.

Theory: a connection is accepted by one context, whose only task is to hand each handshake over to the newest context
that could be loaded. So new connections get a new certificate, open ones live on with theirs, and files that are wrong
change nothing.

One rule: files are judged as a whole, in a context of their own, before any handshake sees them.
"""

import logging
import os
import ssl
from asyncio import BaseTransport
from pathlib import Path

from rollbook.errors import SettingRefused

State = tuple[tuple[int, int, int], ...]
"""How a file differs from the one that was at its path before: its device, number and time of change."""

logger = logging.getLogger(__name__)


class Certificates:
    """The certificate and key of a server, in PEM files, and the authorities of its clients' certificates."""

    def __init__(self, certificate: Path, key: Path, client_authorities: Path | None = None) -> None:
        """Refuses (SettingRefused) files that are no certificate with its key, or no authorities."""
        self._files = [file for file in (certificate, key, client_authorities) if file is not None]
        self._certificate = certificate
        self._key = key
        self._client_authorities = client_authorities
        self._state = self._read_state()
        try:
            self._newest = self._loaded()
            self.context = self._loaded()
        except OSError as error:
            raise SettingRefused(f"the TLS certificate can't be used: {_words(error, certificate, key)}") from None
        self.context.sni_callback = self._hand_over

    def look(self) -> None:
        """Load the files again if they have changed. Blocks."""
        if self._read_state() != self._state:
            self.reload()

    def reload(self) -> None:
        """Load the files again. Where they are wrong, that is logged, and the certificate stays. Blocks."""
        self._state = self._read_state()
        try:
            self._newest = self._loaded()
        except OSError as error:
            words = _words(error, self._certificate, self._key)
            logger.error("the new TLS certificate can't be used, and the one before it stays: %s", words)
        else:
            logger.info("the TLS certificate was loaded from %s", self._certificate)

    def _loaded(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self._certificate, self._key, password=_no_password)
        if self._client_authorities is not None:
            context.load_verify_locations(self._client_authorities)
            context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def _hand_over(self, handshake: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        handshake.context = self._newest

    def _read_state(self) -> State:
        return tuple(_state_of(file) for file in self._files)


def names_of_client(transport: BaseTransport) -> tuple[str, ...]:
    """The names (SAN) in the certificate that a client has shown, which one of the authorities has signed."""
    handshake = transport.get_extra_info("ssl_object")
    certificate = handshake.getpeercert() if handshake is not None else None
    return tuple(str(value) for _, value in (certificate or {}).get("subjectAltName", ()))


def _state_of(file: Path) -> tuple[int, int, int]:
    try:
        status = os.stat(file)
    except OSError:
        return 0, 0, 0
    return status.st_dev, status.st_ino, status.st_mtime_ns


def _no_password() -> str:
    """OpenSSL would ask a terminal for the password of an encrypted key."""
    raise OSError("the key must not be encrypted")


def _words(error: OSError, certificate: Path, key: Path) -> str:
    """What is wrong, for a person."""
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "").replace("_", " ").lower() or "no certificate or key in PEM is in them"
        return f"{certificate} with the key in {key}: {reason}"
    return f"{error.filename or certificate}: {error.strerror or error}"
