"""Peers: who is at the other end of a connection, whatever it sends."""

from asyncio import BaseTransport

from msgspec import Struct

from rollbook.api.serving.admin_sockets import uid_of
from rollbook.api.serving.certificates import names_of_client


class Peer(Struct, frozen=True):
    """What is known of a connection: the address of its other end; the user at the admin socket; the names in the
    certificate that was shown; whether nobody on the way can read what is sent; and the address of its end here.
    """

    address: str = "unknown"
    uid: int | None = None
    certificate: tuple[str, ...] = ()
    is_secure: bool = False
    server: tuple[str, int] | None = None


def peer_of(transport: BaseTransport) -> Peer:
    """Who is at the other end of a connection. One to a path is one to the admin socket."""
    address, server = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
    return Peer(
        address[0] if isinstance(address, tuple) else "local",
        uid_of(transport) if isinstance(server, str) else None,
        names_of_client(transport),
        transport.get_extra_info("ssl_object") is not None,
        (server[0], server[1]) if isinstance(server, tuple) else None,
    )
