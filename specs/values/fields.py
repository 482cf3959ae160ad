"""The types of single values: text that fits on a line, names, durations, folders, commands.

Each refuses with the end of a sentence ("must be ..."), because the message begins with the key that it is about.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from specs.values import durations, names

MAX_BYTES = 100_000  # Linux takes 131,072 for one argument, or for one variable together with its name


class Spec(BaseModel):
    """What is common to everything an operator writes: exact types, no unknown keys, no change afterwards."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def fault(message: str) -> PydanticCustomError:
    """A refusal; braces are doubled because pydantic treats the text as a template."""
    return PydanticCustomError("fault", "{message}", {"message": message})


def _checked(find: Callable[[str], str | None]) -> AfterValidator:
    def check(value: str) -> str:
        message = find(value)
        if message is not None:
            raise fault(message)
        return value

    return AfterValidator(check)


def text_fault(value: object) -> str | None:
    """Why `value` is not text at all."""
    if isinstance(value, str):
        return None
    return f"must be text, not {describe(value)}" + ("" if isinstance(value, dict | tuple) else "; put it in quotes")


def describe(value: object) -> str:
    """What a value is, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, tuple) else "text"


def line_fault(value: str) -> str | None:
    """Why `value` cannot stand on one line of a generated file."""
    if not value:
        return "must not be empty"
    if names.UNSAFE.search(value):
        return "must be a single line without control characters"
    return f"must not be longer than {MAX_BYTES} bytes" if too_long(value) else None


def too_long(value: str) -> bool:
    """Whether the kernel would not start a program with it as an argument or in its environment."""
    return len(value) * 4 > MAX_BYTES and len(value.encode("utf-8", "surrogatepass")) > MAX_BYTES


def _socket(value: str) -> str | None:
    return None if value == "" else names.name_fault(value)


def _host(value: str) -> str | None:
    if len(value) > 253 or not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?", value):
        return "must be a host name: letters, digits, dots and hyphens"
    return None


def _folder(value: str) -> str | None:
    bad = line_fault(value)
    if bad:
        return bad
    if not (value.startswith(("/", "~/")) or value == "~"):
        return "must be an absolute folder, or begin with ~/"
    if ":" in value:
        return "must not contain a colon"
    return "must not contain .." if ".." in value.split("/") else None


def _pathname(value: str) -> str | None:
    bad = line_fault(value)
    return bad or (None if value.startswith(("/", "~/")) else "must be an absolute path, or begin with ~/")


def _prose(value: str) -> str | None:
    if not value.strip():
        return "must not be empty"
    rest = value.replace("\n", " ").replace("\t", " ").replace("\r", " ")
    return "must not contain control characters" if names.UNSAFE.search(rest) else None


def _duration(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise fault(f"must be a duration such as 15s, 5m or 2h, not {describe(value)}")
    try:
        return durations.parse_duration(value)
    except ValueError as error:
        raise fault(str(error)) from None


def _moment(value: object) -> float:
    if not isinstance(value, str):
        raise fault("must be a time with a zone such as 2030-01-31T09:00:00Z")
    try:
        return durations.parse_moment(value)
    except ValueError as error:
        raise fault(str(error)) from None


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        try:
            words = tuple(shlex.split(value))
        except ValueError as error:
            raise fault(f"cannot be split into words: {str(error).lower()}") from None
    elif isinstance(value, tuple):
        for word in value:
            if message := text_fault(word):
                raise fault(f"has a word that {message}")
        words = value
    else:
        raise fault(f"must be text or a list of words, not {describe(value)}")
    if not words or not words[0]:
        raise fault("must not be empty")
    if any(names.UNSAFE.search(word) for word in words):
        raise fault("must not contain control characters or line breaks inside a word")
    if any(too_long(word) for word in words):
        raise fault(f"has a word that is longer than {MAX_BYTES} bytes")
    return words


def _args(value: object) -> tuple[str, ...]:
    return _words(value) if value != () else ()


def _size(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    if isinstance(value, str) and re.fullmatch(
        r"[1-9][0-9]{0,15}(\.[0-9]{1,3})?[KMGT]?|[1-9][0-9]?%|100%|infinity", value
    ):
        return value
    raise fault("must be a size such as 512M or 2G, a percentage or infinity")


def _lines(value: object) -> tuple[str, ...]:
    many = value if isinstance(value, tuple) else (value,)
    for one in many:
        message = text_fault(one) or line_fault(one)
        if message:
            raise fault(message)
    return many


def _persona(value: object) -> bool | str:
    if isinstance(value, bool):
        return value
    if value == "semi":
        return "semi"
    raise fault(f'must be true, false or "semi", not {describe(value)}')


def _one(value: object) -> int:
    if isinstance(value, bool) or value != 1 or not isinstance(value, int):
        raise fault("must be 1: the only version there is")
    return 1


Text = Annotated[str, _checked(_prose)]
Line = Annotated[str, _checked(line_fault)]
Name = Annotated[
    str,
    _checked(names.name_fault),
    WithJsonSchema({"type": "string", "pattern": r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"}),
]
SocketName = Annotated[
    str, _checked(_socket), WithJsonSchema({"type": "string", "pattern": r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$"})
]
SessionId = Annotated[
    str,
    _checked(names.session_id_fault),
    WithJsonSchema({"type": "string", "pattern": r"^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$"}),
]
HostName = Annotated[str, _checked(_host)]
SshTarget = Annotated[str, _checked(names.ssh_fault)]
EnvName = Annotated[str, _checked(names.env_fault)]
Folder = Annotated[str, _checked(_folder)]
PathName = Annotated[str, _checked(_pathname)]
Duration = Annotated[
    float,
    PlainValidator(_duration),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$"},
                {"type": "number", "exclusiveMinimum": 0},
            ],
            "description": "15s, 5m, 2h, 1h30m, or a number of seconds",
        }
    ),
]
Moment = Annotated[float, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Words = Annotated[
    tuple[str, ...],
    PlainValidator(_words),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ],
            "description": "a command as text, split as a shell would split it, or as a list of words",
        }
    ),
]
Args = Annotated[
    tuple[str, ...],
    PlainValidator(_args),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string"}}],
            "description": "arguments as text, split as a shell would split it, or as a list of words",
        }
    ),
]
Lines = Annotated[
    tuple[str, ...],
    PlainValidator(_lines),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
MemorySize = Annotated[
    str,
    PlainValidator(_size),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 1}], "description": "such as 512M or 2G"}
    ),
]
PersonaName = Annotated[
    bool | str, PlainValidator(_persona), WithJsonSchema({"anyOf": [{"type": "boolean"}, {"const": "semi"}]})
]
VersionText = Annotated[int, PlainValidator(_one), WithJsonSchema({"const": 1})]


def camel(name: str) -> str:
    """The older spelling of a key."""
    return to_camel(name)
