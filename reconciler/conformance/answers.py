"""The smallest answers of a model API, in the three dialects that the programs use: "Understood." Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from providers.base import Parsed
from specs.dataclass import dataclass

Dialect = Literal["messages", "responses", "chat", ""]
TEXT = "Understood."

_ENDS: Mapping[str, Dialect] = {"/messages": "messages", "/responses": "responses", "/chat/completions": "chat"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTurn:
    """A request in which a program passes on what its user says: `new` since the model's last answer, and `all` of the
    conversation. `system` is what the program itself tells the model."""

    new: tuple[str, ...]
    all: tuple[str, ...]
    system: str


def dialect_of(path: str) -> Dialect:
    """By the end of the request's path."""
    plain = path.partition("?")[0]
    return next((dialect for end, dialect in _ENDS.items() if plain.endswith(end)), "")


def turn_of(dialect: Dialect, body: bytes) -> ModelTurn | None:
    """The turn in a request; None for what is none: without tools it is a title, a summary or a check of the quota."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not dialect or not isinstance(said, dict) or not said.get("tools"):
        return None
    conversation: Sequence[Parsed] = said.get("messages") or said.get("input") or []
    messages = [message for message in conversation if isinstance(message, dict)]
    new: list[str] = []
    everything: list[str] = []
    system = [*_texts(said.get("system")), *_texts(said.get("instructions"))]
    for message in messages:
        if message.get("role") in ("system", "developer"):
            system += _texts(message.get("content"))
        elif message.get("role") == "assistant" or message.get("type") in ("function_call", "reasoning"):
            new = []
        elif message.get("role") == "user":
            new += _texts(message.get("content"))
            everything += _texts(message.get("content"))
    return ModelTurn(new=tuple(new), all=tuple(everything), system="\n".join(system))


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    if isinstance(content, dict):
        return _texts(content.get("text"))
    return [text for part in content for text in _texts(part)] if isinstance(content, list) else []


def stream(dialect: Dialect, number: int) -> tuple[bytes, bytes]:
    """The beginning of the answer, by which a program knows that the model works, and the rest."""
    events = {"messages": _messages, "responses": _responses, "chat": _chat, "": _chat}[dialect]
    head, *rest = events(number)
    return head, b"".join(rest)


def whole(number: int) -> bytes:
    """The answer of the messages dialect to a request that does not stream."""
    content = [{"type": "text", "text": TEXT}]
    return json.dumps({**_message(number), "content": content, "stop_reason": "end_turn", "usage": _USAGE}).encode()


def refusal(status: int) -> bytes:
    """The body of a request that fails, in a form that every dialect accepts."""
    kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status, "invalid_request_error")
    error = {"type": kind, "code": kind, "message": f"the contract refuses this request ({status})", "param": None}
    return json.dumps({"type": "error", "error": error}).encode()


_USAGE = {"input_tokens": 10, "output_tokens": 5}


def _message(number: int) -> dict[str, object]:
    named = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "contract"}
    return {**named, "stop_sequence": None}


def _event(value: Mapping[str, object], name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(value).encode() + b"\n\n"


def _typed(kind: str, **fields: object) -> bytes:
    return _event({"type": kind, **fields}, kind)


def _messages(number: int) -> Iterator[bytes]:
    yield _typed("message_start", message={**_message(number), "content": [], "stop_reason": None, "usage": _USAGE})
    yield _typed("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield _typed("content_block_delta", index=0, delta={"type": "text_delta", "text": TEXT})
    yield _typed("content_block_stop", index=0)
    yield _typed("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 5})
    yield _typed("message_stop")


def _responses(number: int) -> Iterator[bytes]:
    answer = {"id": f"resp_{number}", "object": "response", "model": "contract"}
    yield _typed("response.created", response={**answer, "status": "in_progress", "output": []})
    content = [{"type": "output_text", "text": TEXT, "annotations": []}]
    item = {"id": f"msg_{number}", "type": "message", "role": "assistant", "content": content}
    yield _typed("response.output_item.added", output_index=0, item=item)
    yield _typed("response.output_item.done", output_index=0, item=item)
    usage = {
        **_USAGE,
        "total_tokens": 15,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    yield _typed("response.completed", response={**answer, "status": "completed", "output": [item], "usage": usage})


def _chat(number: int) -> Iterator[bytes]:
    def chunk(delta: Mapping[str, object], reason: str | None = None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        head = {"id": f"chat_{number}", "object": "chat.completion.chunk", "created": 1, "model": "contract"}
        return _event({**head, "choices": [choice], **more})

    yield chunk({"role": "assistant", "content": ""})
    yield chunk({"content": TEXT})
    yield chunk({}, "stop", usage={"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15})
    yield b"data: [DONE]\n\n"
