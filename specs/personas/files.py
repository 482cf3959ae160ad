"""Write contracts as files: a complete one, an override, and one with a newer base. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from specs import library
from specs.fleet_files import FOLDERS, ROLES
from specs.personas.persona import FOLDER, Persona
from specs.yaml_text.quoting import Style, YamlValue

BASES = f"{ROLES}/.base"  # the shipped contracts as they were; hidden, so that nobody takes them for contracts
_HINT = """\
# Laid over the shipped contract of this class: what does not stand here is as shipped, and changes with the program.
# A section (## Mandate, ## Boundaries, ## Persona, or one of your own) takes the place of the shipped one; an empty one
# leaves it out. So it is with purpose: here, and with a # title and a text before the first section.
"""


def role_path(name: str) -> str:
    """Where the operator's own contract of a class is."""
    return f"{ROLES}/{name}{FOLDERS[ROLES]}"


def base_path(name: str) -> str:
    """Where the shipped contract is kept that it was written over."""
    return f"{BASES}/{name}{FOLDERS[ROLES]}"


def shipped_file(name: str) -> str:
    """The shipped contract of a class, as it ships. Raises OSError if there is none."""
    return library.text(f"{FOLDER}/{name}.md")


def whole(persona: Persona) -> str:
    """A contract that stands by itself, with its front matter."""
    head: dict[str, YamlValue] = {
        "class": persona.name,
        "domain": persona.domain,
        "persistent_persona": persona.persistent or False,
        "purpose": persona.purpose,
    }
    return "\n".join(["---", *(Style().pair(key, value) for key, value in head.items()), "---", persona.text])


def overlay(shipped: Persona, headings: Iterable[str]) -> str:
    """An operator's own contract of that class that changes nothing yet: the sections of these headings, as shipped."""
    wanted = set(headings)
    body = "".join(f"\n## {one.heading}\n\n{one.text}\n" for one in shipped.sections if one.heading in wanted)
    head = [Style().pair("class", shipped.name), base_line(shipped.digest)]
    return "\n".join(["---", _HINT + head[0], head[1], "---\n"]) + body


def base_line(digest: str) -> str:
    """In quotes: a digest may look like a number."""
    return f'base: "{digest}"'


def rebased(raw: bytes, own: Persona, digest: str) -> bytes:
    """The operator's file with another base, and nothing else changed. Raises ValueError where that cannot be told for
    sure."""
    lines = raw.split(b"\n")
    new = base_line(digest).encode()
    if own.base_at is None:
        ending = b"\r" if lines[0].endswith(b"\r") else b""
        lines.insert(1, new + ending)
        return b"\n".join(lines)
    at = own.base_at.line - 1
    line = lines[at] if at < len(lines) else b""  # lines may end otherwise than git's do
    for quoted in (f'"{own.base}"', f"'{own.base}'", own.base):
        if line.startswith(b"base:") and line.count(quoted.encode()) == 1:
            lines[at] = line.replace(quoted.encode(), f'"{digest}"'.encode())
            return b"\n".join(lines)
    raise ValueError("base is written in a way of its own")
