"""Requests over kept-alive connections, as fast as a server answers them; GET alone."""

import re
import selectors
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

CONTENT_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")


@dataclass
class _Connection:
    received: bytes = b""
    size: int | None = None  # of the whole answer, once its head is known


def requests_per_second(
    port: int,
    path: str,
    *,
    headers: Mapping[str, str],
    seconds: float,
    connections: int = 8,
) -> float:
    """Raises AssertionError for an answer other than 200."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    request = "\r\n".join([*lines, "", ""]).encode()
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            client = socket.create_connection(("127.0.0.1", port))
            selector.register(client, selectors.EVENT_READ, _Connection())
            client.sendall(request)
        answered, begun = 0, time.perf_counter()
        while (passed := time.perf_counter() - begun) < seconds:
            for key, _ in selector.select(1):
                sock: socket.socket = key.fileobj  # type: ignore[assignment]
                answered += _receive(sock, key.data, request)
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
    return answered / passed


def _receive(sock: socket.socket, connection: _Connection, request: bytes) -> bool:
    """Whether the answer is complete; the next request is then under way."""
    received = sock.recv(1 << 18)
    assert received, "the server closed the connection"
    connection.received += received
    if connection.size is None:
        head, separator, _ = connection.received.partition(b"\r\n\r\n")
        if not separator:
            return False
        assert head.startswith(b"HTTP/1.1 200 "), connection.received[:1000]
        length = CONTENT_LENGTH.search(head)
        assert length is not None, "an answer without Content-Length"
        connection.size = len(head) + 4 + int(length[1])
    if len(connection.received) < connection.size:
        return False
    connection.received, connection.size = b"", None
    sock.sendall(request)
    return True
