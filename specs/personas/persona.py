"""Personas: the contract of a class, as Markdown with front matter. Pure.

    ---
    class: code
    domain: engineering
    persistent_persona: false
    purpose: One card, one branch, one change, to a green check.
    ---
    # Coder

    Who it is, in a paragraph.

    ## Mandate
    ## Boundaries
    ## Persona

An operator's own contract of the same class is laid over the shipped one, section by section.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Mapping
from functools import cache
from typing import Literal

from specs import library
from specs.dataclass import dataclass, field, replace
from specs.values.names import name_fault
from specs.values.problems import Problem, SourceFile, Span
from specs.values.suggest import Suggester
from specs.yaml_text.parser import parse
from specs.yaml_text.read import decode
from specs.yaml_text.tree import Node

FOLDER = "personas"  # of the shipped ones, below `specs.library`
SECTIONS = ("Mandate", "Boundaries", "Persona")  # that every whole contract has, in this order
DOMAINS = (
    *("engineering", "executive", "product", "marketing", "sales", "operations", "research", "assistant", "customer"),
    "creative",
)
# Names that older rosters use.
ALIASES: Mapping[str, str] = {
    "implementer": "code",
    "worker": "code",
    "reviewer": "review",
    "canary": "site-tester",
    "analyst": "data-analyst",
    "planner": "orchestrator",
    "security": "security-review",
}
_KEYS = ("class", "domain", "persistent_persona", "purpose")
_FENCE = "---"
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*#*")
_CODE = re.compile(r" {0,3}(```+|~~~+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One second-level section: its heading, and the text below it without surrounding blank lines."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """One contract. In an operator's own, what is "" or None is as shipped, and so is a section that is not there."""

    name: str  # the class
    domain: str = ""
    persistent: bool | Literal["semi"] | None = None
    purpose: str = ""
    title: str = ""
    intro: str = ""
    sections: tuple[Section, ...] = ()
    base: str = ""  # in an operator's own: digest of the shipped one that it was written over
    base_at: Span | None = field(default=None, compare=False, repr=False)  # where the file says so

    @property
    def text(self) -> str:
        """The contract as an agent reads it: without front matter, ending with one newline. Byte-stable."""
        parts = [f"# {self.title or self.name}", self.intro]
        for section in self.sections:
            parts += [f"## {section.heading}", section.text]
        return "\n\n".join(part for part in parts if part) + "\n"

    @property
    def digest(self) -> str:
        """12 hex digits of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]


def class_name(written: str) -> str:
    """The class that a roster means: aliases resolved."""
    return ALIASES.get(written, written)


@cache
def shipped_names() -> frozenset[str]:
    """The classes that ship, without reading their contracts."""
    return frozenset(name.removeprefix(f"{FOLDER}/").removesuffix(".md") for name in library.names(FOLDER, ".md"))


@cache
def shipped_one(name: str) -> Persona | None:
    """The shipped persona of a class; reading one takes some milliseconds. Raises ValueError if it is not as it should
    be: the installation is damaged."""
    if name not in shipped_names():
        return None
    path, problems = f"{FOLDER}/{name}.md", list[Problem]()
    persona = read_persona(path, library.text(path).encode(), problems, whole=True)
    if persona is None or problems:
        raise ValueError(f"the shipped {path} is damaged: {problems[0].message if problems else 'unreadable'}")
    return persona


@cache
def shipped() -> Mapping[str, Persona]:
    """Every shipped persona, by class. Raises ValueError as `shipped_one` does."""
    found = {name: shipped_one(name) for name in sorted(shipped_names())}
    return {name: persona for name, persona in found.items() if persona is not None}


def contract_name(written: str, own: Container[str]) -> str:
    """Under which name the contract of a class is, as a roster writes that class: an older name is another one's,
    unless the operator's `own` has it."""
    return written if written in own and written not in shipped_names() else class_name(written)


def outdated(own: Persona) -> bool:
    """Whether the shipped contract has changed since an operator's `own` was written over it, as far as that says over
    which one."""
    base = shipped_one(own.name)
    return bool(own.base) and base is not None and own.base != base.digest


def resolve(written: str, own: Mapping[str, Persona]) -> Persona | None:
    """The contract of a class as a roster names it: the shipped one with the operator's `own` laid over it; None if
    there is neither."""
    name = contract_name(written, own)
    base, over = shipped_one(name), own.get(name)
    if base is None or over is None:
        return base or over
    return merge(base, over)


def merge(base: Persona, over: Persona) -> Persona:
    """`over` laid over `base`: its front matter, title, introduction and sections win; sections that only it has come
    last; one that it empties is left out."""
    texts = {section.heading.casefold(): section for section in over.sections}
    known = {section.heading.casefold() for section in base.sections}
    kept = [texts.get(section.heading.casefold(), section) for section in base.sections]
    added = [section for section in over.sections if section.heading.casefold() not in known]
    return replace(
        base,
        domain=over.domain or base.domain,
        persistent=base.persistent if over.persistent is None else over.persistent,
        purpose=over.purpose or base.purpose,
        title=over.title or base.title,
        intro=over.intro or base.intro,
        sections=tuple(section for section in (*kept, *added) if section.text),
        base=over.base,
    )


def read_persona(name: str, raw: bytes, problems: list[Problem], *, whole: bool) -> Persona | None:
    """A contract from the bytes of a file; what is wrong goes to `problems`, and then there is None. `whole`: it stands
    by itself, so nothing may be missing."""
    source = SourceFile(name)
    before = len(problems)
    text = decode(raw, source, problems)
    if text is None:
        return None
    lines = list(source.lines)  # whatever ends them: a heading is the same in each file
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if not lines or lines[0].rstrip() != _FENCE or end is None:
        problems.append(
            source.problem(Span(), "it must begin with front matter", help="write --- , class: NAME, ... , --- first")
        )
        return None
    tree = parse("\n" + "\n".join(lines[1:end]) + "\n", source, problems)
    if tree is None or tree.kind != "mapping":
        if len(problems) == before:
            problems.append(source.problem(Span(), "the front matter must be a mapping of keys"))
        return None
    head = _head(tree, source, problems)
    title, intro, sections = _body(lines[end + 1 :])
    persona = replace(head, title=title, intro=intro, sections=sections)
    stem = name.rsplit("/", 1)[-1].removesuffix(".md")
    if persona.name and persona.name != stem:
        span = tree.items["class"].span if "class" in tree.items else Span()
        problems.append(source.problem(span, f'class is "{persona.name}" in a file called {stem}.md'))
    if whole:
        problems.extend(_missing(persona, source))
    wrong = any(problem.severity == "error" for problem in problems[before:])
    return None if wrong else replace(persona, name=stem)


def _head(tree: Node, source: SourceFile, problems: list[Problem]) -> Persona:
    values: dict[str, object] = {}
    for key, node in tree.items.items():
        if key not in (*_KEYS, "base"):
            hint = Suggester().phrase(key, _KEYS)
            keys = f"keys here: {', '.join(_KEYS)}"
            problems.append(source.problem(tree.keys[key].span, f'unknown key "{key}"', suggestion=hint, help=keys))
        elif key == "persistent_persona":
            if node.value not in (True, False, "semi"):
                problems.append(source.problem(node.span, "persistent_persona must be true, false or semi"))
            values[key] = node.value
        elif not isinstance(node.value, str) or not node.value.strip():
            problems.append(source.problem(node.span, f"{key} must be text"))
        else:
            values[key] = node.value.strip()
            fault = name_fault(str(values[key])) if key == "class" else None
            if fault:
                problems.append(source.problem(node.span, f"class {fault}"))
    persistent = values.get("persistent_persona")
    return Persona(
        name=str(values.get("class", "")),
        domain=str(values.get("domain", "")),
        persistent=persistent if isinstance(persistent, bool) else "semi" if persistent == "semi" else None,
        purpose=str(values.get("purpose", "")),
        base=str(values.get("base", "")),
        base_at=tree.items["base"].span if "base" in tree.items else None,
    )


def _body(lines: list[str]) -> tuple[str, str, tuple[Section, ...]]:
    """Title, introduction and sections. A heading inside a code block is none."""
    title, fence = "", ""
    heads: list[str] = [""]
    texts: list[list[str]] = [[]]
    for line in lines:
        code = _CODE.match(line)
        if code and (not fence or code[1].startswith(fence)):
            fence = "" if fence else code[1]
        found = None if fence or code else _HEADING.fullmatch(line)
        if found and len(found[1]) == 1 and not title and len(heads) == 1 and not any(texts[0]):
            title = found[2]
        elif found and len(found[1]) == 2:
            heads.append(found[2])
            texts.append([])
        else:
            texts[-1].append(line.rstrip())
    bodies = ["\n".join(text).strip("\n") for text in texts]
    sections = tuple(Section(heading=head, text=body) for head, body in zip(heads[1:], bodies[1:], strict=True))
    return title, bodies[0], sections


def _missing(persona: Persona, source: SourceFile) -> list[Problem]:
    there = {section.heading.casefold() for section in persona.sections if section.text}
    wanting = [name for name in SECTIONS if name.casefold() not in there]
    fields = {"title": persona.title, "purpose": persona.purpose, "domain": persona.domain, "class": persona.name}
    wanting = [*(name for name, value in fields.items() if not value), *wanting]
    if persona.persistent is None:
        wanting.append("persistent_persona")
    if not wanting:
        return []
    return [source.problem(Span(), f"a whole contract also has: {', '.join(wanting)}")]
