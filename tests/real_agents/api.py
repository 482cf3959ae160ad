"""A model API on loopback for all the programs: it remembers what it received, and answers what a test has scripted.

Each program is given an address of its own (`url_for`), so that every request is known to be its. Without a script, the
answer is "Understood.".
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.hosts.waiting import eventually
from tests.real_agents.replies import Dialect, Reply, parts, refusal, whole_message

if TYPE_CHECKING:
    from tests.real_agents.offline import EmptyNetwork

_ENDS: Mapping[str, Dialect] = {"/messages": "messages", "/responses": "responses", "/chat/completions": "chat"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it came: `program` is the first part of its path (see `url_for`), `path` the rest."""

    method: str
    program: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def json(self) -> dict[str, Any]:
        """The body; empty if it is not a JSON object."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def dialect(self) -> Dialect:
        path = self.path.partition("?")[0]
        return next((dialect for end, dialect in _ENDS.items() if path.endswith(end)), "")

    @property
    def tools(self) -> list[str]:
        """What the model may call. A request without any is not a turn: titles, summaries, checks of the quota."""
        tools = [tool.get("function", tool) for tool in self.json.get("tools", [])]
        return [tool["name"] for tool in tools if "name" in tool]

    @property
    def is_turn(self) -> bool:
        return self.dialect != "" and bool(self.json.get("tools"))

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation: everything with a role, and the calls and results of tools."""
        found: Sequence[Any] = self.json.get("messages") or self.json.get("input") or []
        return [message for message in found if isinstance(message, dict)]

    @property
    def system(self) -> str:
        """All that the program itself tells the model: system prompt, instructions, messages of the developer."""
        blocks = [*_strings(self.json.get("system")), *_strings(self.json.get("instructions"))]
        for message in self.messages:
            if message.get("role") in {"system", "developer"}:
                blocks += _strings(message.get("content"))
        return "\n".join(blocks)

    @property
    def user_texts(self) -> list[str]:
        """Each text of the user in the whole conversation, oldest first. Programs put texts of their own among them."""
        return [text for message in self.messages if message.get("role") == "user" for text in _texts(message)]

    @property
    def new_texts(self) -> list[str]:
        """The user's texts after the model's last answer."""
        found: list[str] = []
        for message in self.messages:
            if message.get("role") == "assistant" or message.get("type") in {"function_call", "reasoning"}:
                found = []
            elif message.get("role") == "user":
                found += _texts(message)
        return found


def _strings(content: object) -> list[str]:
    """The texts of a string, of blocks, or of a list of either. What a user says while a tool runs, claude puts into
    the block of that tool's result."""
    if isinstance(content, str):
        return [content]
    if isinstance(content, dict):
        return _strings(content.get("text") or content.get("content"))
    return [text for part in content for text in _strings(part)] if isinstance(content, list) else []


def _texts(message: Mapping[str, Any]) -> list[str]:
    return _strings(message.get("content"))


class FakeApi:
    """Listens in the empty network. `asked`: method and path of each request; `requests`: all of them, as they came."""

    def __init__(self, network: EmptyNetwork, *, port: int = 0) -> None:
        self.asked: list[str] = []
        self.requests: list[Request] = []
        self._scripts: dict[str, deque[Reply]] = defaultdict(deque)
        self._replies: list[tuple[str, Reply]] = []
        self._lock = threading.Lock()
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                api._answer(self)

            do_HEAD = do_GET = do_POST

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on stderr."""

        self._server = network.call(lambda: ThreadingHTTPServer(("127.0.0.1", port), Handler))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url_for(self, program: str) -> str:
        """The base of the program's own address, without the `/v1` that some of them want in it."""
        return f"{self.url}/{program}"

    def script(self, program: str, *replies: Reply) -> None:
        """Answer the next turns of this program with these, in order; they come after what is scripted already."""
        with self._lock:
            self._scripts[program].extend(replies)
            self._replies.extend((program, reply) for reply in replies)

    def forget(self, program: str = "") -> None:
        """Drop the requests and the script of this program, or of all, and release what is held."""
        with self._lock:
            self.requests[:] = [request for request in self.requests if program and request.program != program]
            for name, reply in self._replies:
                if program in {"", name}:
                    self._scripts[name].clear()
                    reply.release()
            self._replies[:] = [(name, reply) for name, reply in self._replies if program and name != program]

    def turns(self, program: str) -> list[Request]:
        """The requests of this program that are turns of a conversation, oldest first."""
        with self._lock:
            return [request for request in self.requests if request.program == program and request.is_turn]

    def texts(self, program: str) -> list[str]:
        """What the user has said to this program, in the order of arrival; a request tried again says it again."""
        return [text for request in self.turns(program) for text in request.new_texts]

    def wait_for(self, program: str, text: str, timeout: float = 60.0) -> Request:
        """The first turn among whose new texts one contains `text`."""

        def look() -> Request | None:
            found = (request for request in self.turns(program) if any(text in new for new in request.new_texts))
            return next(found, None)

        request = eventually(look, timeout=timeout, every=0.05, what=f"{text[:60]!r} from {program}")
        assert request
        return request

    def close(self) -> None:
        self.forget()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _receive(self, handler: BaseHTTPRequestHandler) -> tuple[Request, Reply, int]:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        program, _, path = handler.path.lstrip("/").partition("/")
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Request(method=handler.command, program=program, path=f"/{path}", headers=headers, body=body)
        with self._lock:
            self.asked.append(f"{handler.command} {handler.path}")
            self.requests.append(request)
            script = self._scripts[program]
            reply = script.popleft() if script and request.is_turn else Reply()
            return request, reply, len(self.asked)

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        request, reply, number = self._receive(handler)
        try:
            if request.method != "POST" or not request.dialect:
                _send(handler, 404, b'{"error": {"type": "not_found_error", "message": "not found"}}')
            elif reply.status != 200:
                reply.wait()
                _send(handler, reply.status, refusal(request.dialect, reply))
            elif request.dialect == "messages" and not request.json.get("stream"):
                reply.wait()
                _send(handler, 200, whole_message(reply, number))
            else:
                _stream(handler, reply, *parts(request.dialect, reply, number))
        except OSError:
            """The program has gone, or has interrupted the turn."""


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


def _stream(handler: BaseHTTPRequestHandler, reply: Reply, head: bytes, rest: bytes) -> None:
    """Ends with the connection: HTTP/1.0, as the server speaks it."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.end_headers()
    handler.wfile.write(head)
    handler.wfile.flush()
    reply.wait()
    handler.wfile.write(rest)
