"""A model API on loopback, at a port that the kernel chooses: it remembers every turn, and can pretend to think."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from reconciler.conformance.answers import ModelTurn, dialect_of, refusal, stream, turn_of, whole

THINKS_S = 120.0  # at most, whoever forgets it
_BODY_MAX = 64 << 20


class FakeApi:
    """A context manager. `url` has no `/v1` at its end; those programs that want one add it."""

    def __init__(self) -> None:
        self._turns: list[ModelTurn] = []
        self._count = 0
        self._lock = threading.Lock()
        self._go_on = threading.Event()
        self._go_on.set()
        self._refuses = 0
        api = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 30  # of a connection on which nothing comes

            def do_POST(self) -> None:
                api._answer(self)

            def do_GET(self) -> None:
                _send(self, 404, b'{"error": {"type": "not_found_error", "message": "there is nothing here"}}')

            do_HEAD = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on stderr."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> FakeApi:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def turns(self) -> tuple[ModelTurn, ...]:
        """All that have come so far, oldest first. A request that a program tries again comes again."""
        with self._lock:
            return tuple(self._turns)

    def think(self) -> None:
        """From now on the answer to a turn begins, and does not go on before `go_on`."""
        self._go_on.clear()

    def go_on(self) -> None:
        """Finish what was begun."""
        self._go_on.set()

    def refuse(self, status: int) -> None:
        """From now on every turn fails with this HTTP status."""
        self._refuses = status

    def accept(self) -> None:
        """Answer again."""
        self._refuses = 0

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        try:
            length = min(int(handler.headers.get("Content-Length") or 0), _BODY_MAX)
        except ValueError:
            length = 0
        try:
            body = handler.rfile.read(length)
            dialect = dialect_of(handler.path)
            turn = turn_of(dialect, body)
            with self._lock:
                self._count += 1
                number = self._count
                if turn is not None:
                    self._turns.append(turn)
            if not dialect:
                _send(handler, 404, b'{"error": {"type": "not_found_error", "message": "there is nothing here"}}')
            elif self._refuses:
                _send(handler, self._refuses, refusal(self._refuses))
            elif dialect == "messages" and b'"stream":true' not in body.replace(b" ", b""):
                _send(handler, 200, whole(number))
            else:
                self._stream(handler, *stream(dialect, number), wait=turn is not None)
        except OSError:
            return  # the program has gone, or has interrupted the turn

    def _stream(self, handler: BaseHTTPRequestHandler, head: bytes, rest: bytes, *, wait: bool) -> None:
        """Ends with the connection: HTTP/1.0, as the server speaks it."""
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        handler.wfile.write(head)
        handler.wfile.flush()
        if wait:
            self._go_on.wait(THINKS_S)
        handler.wfile.write(rest)


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    try:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)
    except OSError:
        return  # nobody waits for it any more
