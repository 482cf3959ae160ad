"""What a model can be made to answer, in the three formats that the programs speak, as server-sent events."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Dialect = Literal["messages", "responses", "chat", ""]
HOLD_TIMEOUT_S = 300.0


@dataclass(kw_only=True)
class Reply:
    """One turn of the model: `text`, then a call of `tool` with `arguments` if one is named; or the refusal `status`.

    A reply that is `held` begins at once, so that its program is busy, and goes on after `release`.
    """

    text: str = "Understood."
    tool: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    held: bool = False
    _go_on: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        self._go_on.set()

    def wait(self) -> None:
        if self.held:
            self._go_on.wait(HOLD_TIMEOUT_S)


def say(text: str, *, held: bool = False) -> Reply:
    return Reply(text=text, held=held)


def call(tool: str, /, *, text: str = "", **arguments: Any) -> Reply:
    """`tool` is a name that the program has told of in its request (`Request.tools`)."""
    return Reply(text=text, tool=tool, arguments=arguments)


def refuse(status: int, text: str = "scripted failure") -> Reply:
    """400 is final for every program; 429, 500, 503 and 529 are tried again for a while."""
    return Reply(status=status, text=text)


def refusal(dialect: Dialect, reply: Reply) -> bytes:
    error = {"type": "invalid_request_error" if reply.status < 500 else "api_error", "message": reply.text}
    body = {"type": "error", "error": error} if dialect == "messages" else {"error": {**error, "code": None}}
    return json.dumps(body).encode()


def parts(dialect: Dialect, reply: Reply, number: int) -> tuple[bytes, bytes]:
    """The events of a stream: those before, and those after a hold."""
    events = {"messages": _messages, "responses": _responses, "chat": _chat, "": _chat}[dialect]
    head, *rest = events(reply, number)
    return head, b"".join(rest)


def _event(value: object, name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(value).encode() + b"\n\n"


def _messages(reply: Reply, number: int) -> Iterator[bytes]:
    def event(kind: str, **fields: object) -> bytes:
        return _event({"type": kind, **fields}, kind)

    usage = {"input_tokens": 10, "output_tokens": 5}
    message = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "fake", "content": []}
    yield event("message_start", message={**message, "stop_reason": None, "stop_sequence": None, "usage": usage})
    index = 0
    if reply.text:
        yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": reply.text})
        yield event("content_block_stop", index=0)
        index = 1
    if reply.tool:
        block = {"type": "tool_use", "id": f"toolu_{number}", "name": reply.tool, "input": {}}
        made = {"type": "input_json_delta", "partial_json": json.dumps(reply.arguments)}
        yield event("content_block_start", index=index, content_block=block)
        yield event("content_block_delta", index=index, delta=made)
        yield event("content_block_stop", index=index)
    reason = "tool_use" if reply.tool else "end_turn"
    yield event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage={"output_tokens": 5})
    yield event("message_stop")


def whole_message(reply: Reply, number: int) -> bytes:
    """The answer of the messages API to a request that does not stream."""
    content: list[object] = [{"type": "text", "text": reply.text}] if reply.text else []
    if reply.tool:
        content.append(
            {"type": "tool_use", "id": f"toolu_{number}", "name": reply.tool, "input": dict(reply.arguments)}
        )
    head = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "fake", "stop_sequence": None}
    usage = {"input_tokens": 10, "output_tokens": 5}
    reason = "tool_use" if reply.tool else "end_turn"
    return json.dumps({**head, "content": content, "stop_reason": reason, "usage": usage}).encode()


def _responses(reply: Reply, number: int) -> Iterator[bytes]:
    def event(kind: str, **fields: object) -> bytes:
        return _event({"type": kind, **fields}, kind)

    answer = {"id": f"resp_{number}", "object": "response", "model": "fake"}
    yield event("response.created", response={**answer, "status": "in_progress", "output": []})
    items: list[dict[str, object]] = []
    if reply.text:
        content = [{"type": "output_text", "text": reply.text, "annotations": []}]
        items.append({"id": f"msg_{number}", "type": "message", "role": "assistant", "content": content})
    if reply.tool:
        named = {"name": reply.tool, "call_id": f"call_{number}", "arguments": json.dumps(reply.arguments)}
        items.append({"id": f"fc_{number}", "type": "function_call", **named})
    for index, item in enumerate(items):
        yield event("response.output_item.added", output_index=index, item=item)
        yield event("response.output_item.done", output_index=index, item=item)
    counts: dict[str, int | dict[str, int]] = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    details: dict[str, int | dict[str, int]] = {
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    done = {**answer, "status": "completed", "output": items, "usage": counts | details}
    yield event("response.completed", response=done)


def _chat(reply: Reply, number: int) -> Iterator[bytes]:
    def chunk(delta: object, reason: str | None = None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        head = {"id": f"chat_{number}", "object": "chat.completion.chunk", "created": 1, "model": "fake"}
        return _event({**head, "choices": [choice], **more})

    yield chunk({"role": "assistant", "content": ""})
    if reply.text:
        yield chunk({"content": reply.text})
    if reply.tool:
        function = {"name": reply.tool, "arguments": json.dumps(reply.arguments)}
        yield chunk({"tool_calls": [{"index": 0, "id": f"call_{number}", "type": "function", "function": function}]})
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    yield chunk({}, "tool_calls" if reply.tool else "stop", usage=usage)
    yield b"data: [DONE]\n\n"
