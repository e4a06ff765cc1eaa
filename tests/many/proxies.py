"""A TCP proxy between processes and their engine that is slow, swallows what it is given, and cuts connections."""

import socket
import threading
import time
from contextlib import suppress


class Proxy:
    """Forwards a port of its own to another one; ``delay_seconds`` and ``swallows`` may be set at any time."""

    def __init__(self, target: int) -> None:
        self.delay_seconds = 0.0
        self.swallows = False
        self._target = target
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Close every connection."""
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def half_close(self) -> None:
        """Let one side of every connection end."""
        for each in list(self._open)[::2]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), 2)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._open |= {client, server}
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(one, other), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.delay_seconds:
                    time.sleep(self.delay_seconds)
                while self.swallows:
                    time.sleep(0.02)
                sink.sendall(data)
        for each in (source, sink):
            self._open.discard(each)
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
