"""Write a value into a YAML text: plain where every reader sees the same value, otherwise in quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from specs.dataclass import dataclass
from specs.values.scalars import YAML_1_1_BOOLEANS, resolve

YamlValue = str | int | bool | Sequence[str]

_BARE = re.compile(r"[A-Za-z_/](?:[A-Za-z0-9_./@+ -]*[A-Za-z0-9_./@+-])?|~/(?:[A-Za-z0-9_./@+-]*)")


@dataclass(frozen=True, slots=True)
class Style:
    """`json`: keys and texts in double quotes, as JSON wants them. `camel`: keys as older rosters spell them."""

    json: bool = False
    camel: bool = False

    def key(self, name: str) -> str:
        """A key as the file would have it."""
        from specs.values.fields import camel

        spelt = camel(name) if self.camel and "_" in name else name
        return json.dumps(spelt) if self.json else spelt

    def value(self, value: YamlValue, quote: str = "") -> str:
        """A value on one line; `quote` is how the value before it was quoted."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return str(value)
        if isinstance(value, str):
            return _text(value, '"' if self.json else quote)
        return "[" + ", ".join(self.value(one) for one in value) + "]"

    def pair(self, name: str, value: YamlValue) -> str:
        """`key: value`."""
        return f"{self.key(name)}: {self.value(value)}"

    def flow(self, entry: Mapping[str, YamlValue]) -> str:
        """A mapping on one line."""
        return "{" + ", ".join(self.pair(name, value) for name, value in entry.items()) + "}"


def _text(text: str, quote: str) -> str:
    if quote == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    bare = quote == "" and _BARE.fullmatch(text) and text not in YAML_1_1_BOOLEANS and resolve(text) == text
    return text if bare else '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    """As JSON and YAML both read it. Beyond U+FFFF they share no escape, and take the character itself."""
    if char in '"\\':
        return "\\" + char
    return char if char.isprintable() or ord(char) > 0xFFFF else f"\\u{ord(char):04x}"
