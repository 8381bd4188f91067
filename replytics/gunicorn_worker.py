"""gunicorn's worker with threads, which tells that it is alive whatever its threads are doing."""

import re
import selectors
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

# The whole of a request: a client that does not finish it waits like any other.
LIVE = re.compile(rb"(GET|HEAD) /health/live(\?\S*)? HTTP/1\.[01]\r\n(.*\r\n)?\r\n", re.DOTALL)
MAX_HEAD = 8_192  # bytes


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """/health/live has a thread of its own.

    In the others a probe would wait while requests wait for the database, and its supervisor would
    kill what only waits. So a connection is given to a thread when the first bytes have come.
    """

    def init_process(self) -> None:
        self.prober = ThreadPoolExecutor(max_workers=1, thread_name_prefix="live")
        super().init_process()

    def enqueue_req(self, conn: Any) -> None:
        """Where gunicorn passes each connection with a request, or a new one, to its threads."""
        try:
            head = conn.sock.recv(MAX_HEAD, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            if not conn.initialized and not conn.data_ready:
                self._wait_for_bytes(conn)
                return
            head = b""
        except OSError:
            head = b""
        if not LIVE.match(head):
            super().enqueue_req(conn)
            return
        self.prober.submit(self.handle, conn).add_done_callback(
            lambda done: self.method_queue.defer(self.finish_request, conn, done)
        )

    def _wait_for_bytes(self, conn: Any) -> None:
        """As gunicorn does with a connection that was silent for five seconds."""
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(
            conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn)
        )
