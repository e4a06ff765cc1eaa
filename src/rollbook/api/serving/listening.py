"""Addresses to listen on. An address is taken before the registry is opened, and listened on when it can answer."""

import socket
from ipaddress import ip_address

from rollbook.errors import SettingRefused

BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """A socket that has the address, and does not listen yet: a connection is refused until it does.

    ``::`` is every address of this machine, of both families. Refuses (SettingRefused) an address that can't be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not _is_unspecified(host))
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise _refused(host, port, error) from None
    return bound


def listen(bound: socket.socket) -> socket.socket:
    """Begin to listen. Refuses (SettingRefused) an address that another process listens on by now."""
    try:
        bound.listen(BACKLOG)
    except OSError as error:
        host, port = bound.getsockname()[:2]
        raise _refused(host, port, error) from None
    bound.setblocking(False)
    return bound


def address_of(listening: socket.socket, scheme: str = "http") -> str:
    """The URL at which a listening socket is reached."""
    host, port = listening.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _is_unspecified(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _refused(host: str, port: int, error: OSError) -> SettingRefused:
    reason = (error.strerror or str(error)).partition(" (")[0]  # the rest repeats the address
    return SettingRefused(f"can't listen on {host} port {port}: {reason}; choose another host or port")
