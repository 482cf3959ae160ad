"""`notify` in fleet.yaml: who is notified when something needs a person, and when not."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from specs.compiled import CaseKind
from specs.values.fields import Duration, Name, Spec, Words, describe, fault

SHORTEST_REPEAT_S = 60.0
LONGEST_TIMEOUT_S = 60.0

_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
# What a mail program takes for one plain address, and never for an option or a list.
_ADDRESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}(?:@[A-Za-z0-9][A-Za-z0-9.-]{0,250})?", re.ASCII)


def _quiet(value: object) -> tuple[int, int]:
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise fault(f'must be hours such as "22:00-07:00", in quotes, not {describe(value)}')
    begin_hour, begin, end_hour, end = (int(part) for part in found.groups())
    if (begin_hour, begin) == (end_hour, end):
        raise fault("must not begin when they end: leave the notifier out if nobody is to be notified")
    return begin_hour * 60 + begin, end_hour * 60 + end


def _address(value: object) -> str:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise fault("must be one mail address such as ops@example.org, or a local user")
    return value


QuietHours = Annotated[
    tuple[int, int],
    PlainValidator(_quiet),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$",
            "description": "from when to when nobody is notified, in the host's local time, such as 22:00-07:00",
        }
    ),
]
MailAddress = Annotated[str, PlainValidator(_address), WithJsonSchema({"type": "string", "minLength": 1})]


class Notify(Spec):
    """One way to notify a person: a program of your own (`command`, which gets a JSON document on its standard input),
    or what is built in (`use`). `after`: how old a case must be; `repeat`: how often it is told again while it is open,
    once if not given. `timeout`: how long the program may take."""

    name: Name | None = None
    command: Words | None = None
    use: Literal["desktop", "bell", "email"] | None = None
    to: MailAddress | None = None
    kinds: tuple[CaseKind, ...] = Field(default=(), json_schema_extra={"uniqueItems": True})
    after: Duration = 30.0
    repeat: Duration | None = None
    quiet_hours: QuietHours | None = None
    timeout: Duration = 10.0

    @model_validator(mode="after")
    def _whole(self) -> Notify:
        if (self.command is None) == (self.use is None):
            raise fault("needs either `command` or `use`: one of desktop, bell and email")
        if (self.use == "email") != (self.to is not None):
            raise fault("needs `to` with `use: email`, and only then")
        if self.repeat is not None and self.repeat < SHORTEST_REPEAT_S:
            raise fault("must not be repeated more often than each minute")
        if self.timeout > LONGEST_TIMEOUT_S:
            raise fault("must not take longer than a minute")
        return self

    @property
    def shown_name(self) -> str:
        """Its name; else the built-in's, or that of its program."""
        return self.name or self.use or (self.command or ("command",))[0].rstrip("/").rpartition("/")[2]


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, dict) else value


def _different(rules: tuple[Notify, ...]) -> tuple[Notify, ...]:
    names = [rule.shown_name for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise fault(f"has two notifiers named {twice[0]}: give each a `name` of its own")
    return rules


NotifyRules = Annotated[tuple[Notify, ...], BeforeValidator(_one_or_many), AfterValidator(_different)]
