"""The operator's own contracts of classes, `roles/CLASS.md` in the fleet's repository."""

from __future__ import annotations

from specs.fleet_files import FOLDERS, LARGEST, ROLES
from specs.personas.persona import Persona, outdated, read_persona, shipped_names
from specs.values import secrets
from specs.values.names import name_fault
from specs.values.problems import Problem, SourceFile, Span

HELP = "a contract is read by every agent of its class: secrets stay out of it"


def read_role(name: str, raw: bytes, problems: list[Problem]) -> Persona | None:
    """The contract in the file called `name`; None, and why, if it cannot be used. One of a class that does not ship
    must be whole; another one is laid over the shipped, and a warning tells if that has changed since."""
    source = SourceFile(name)
    stem = name.removeprefix(f"{ROLES}/").removesuffix(FOLDERS[ROLES])
    fault = name_fault(stem)
    if fault is not None:
        problems.append(source.problem(Span(), f"the file is named like no class: it {fault}"))
        return None
    if len(raw) > LARGEST:
        way = "an agent reads all of it at every start: a few dozen lines do"
        problems.append(source.problem(Span(), f"the file has {len(raw):,} bytes; the limit is 64 KiB", help=way))
        return None
    persona = read_persona(name, raw, problems, whole=stem not in shipped_names())
    if persona is None:
        return None
    before = len(problems)
    source.lines = raw.decode().split("\n")
    for number, line in enumerate(source.lines, 1):
        for start, end, kind in secrets.tokens(line):
            problems.append(source.problem(Span(number, start + 1, end - start), f"{kind} in plain sight", help=HELP))
    if len(problems) > before:
        return None
    if outdated(persona):
        problems.append(_outdated(persona, source))
    return persona


def _outdated(persona: Persona, source: SourceFile) -> Problem:
    name = persona.name
    message = f'the shipped contract of "{name}" has changed since this was written over it'
    way = (
        f"mosaic fleet persona diff {name} shows what changed; this file stays as it is; when you have seen it: "
        f"mosaic fleet persona accept {name}"
    )
    return source.problem(persona.base_at or Span(), message, severity="warning", help=way)
