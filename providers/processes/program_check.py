"""Whether an agent's program can start, judged by its files; only node is started, for its version.

Reports only what is certain: the program does not exist, may not be executed, is for another processor, lacks its
interpreter, or is older than any version known to work. The start itself shows anything else.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from providers.filesystem.guarded_read import NotRegularError, read_regular
from providers.processes.process import SpawnError, run
from providers.processes.program_path import found, search_path
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from providers.host import HostFacts
    from providers.program_fault import ProgramFault
    from specs.compiled import Agent

# elf(5): e_machine at byte 18, by uname's name of the processor. Only those that people run fleets on.
_ELF = b"\x7fELF"
_MACHINES: Mapping[str, int] = {"x86_64": 62, "aarch64": 183, "riscv64": 243, "ppc64le": 21, "s390x": 22}
_COMPATIBLE: Mapping[str, frozenset[int]] = {"x86_64": frozenset({3, 62}), "aarch64": frozenset({40, 183})}
_NAMES = {3: "i386", 40: "arm", **{number: name for name, number in _MACHINES.items()}}
_INTERPRETERS = {name: f"sudo apt install {package}" for name, package in (("node", "nodejs"), ("python3", "python3"))}
_PACKAGE_BYTES = 1 << 18
_NODE_S = 2.0
_UP = 6  # folders from a program to its package.json: node_modules/@scope/name/dist/bin/cli.js


@dataclass(frozen=True, slots=True)
class _Use:
    """What to look for, and where."""

    runtime: str
    program: str
    search: tuple[str, str, tuple[str, ...]]  # HOME, PATH, folders before it
    files_only: bool = False  # do not ask its interpreter for its version


def program_faults(
    agents: Iterable[Agent],
    facts: HostFacts,
    environ: Mapping[str, str],
    living: Collection[str] = (),
    *,
    may_hang: bool = True,
) -> dict[str, ProgramFault | None]:
    """By agent; None if no fault was found. Leaves out an agent whose program could not be examined in time.

    `environ`: what a pane gets from its tmux server. Each program is examined once, however many agents use it, and all
    of them in one round trip. For the `living` we look at files only and start no other program; unless a mounted file
    system `may_hang`, that takes no process at all.
    """
    uses: dict[_Use, list[str]] = {}
    for agent in agents:
        if agent.argv:
            use = _use(agent, facts, environ)
            uses.setdefault(replace(use, files_only=agent.name in living), []).append(agent.name)
    answers = _answers(uses, facts.bin_dir, may_hang=may_hang)
    faults: dict[str, ProgramFault | None] = {}
    for use, names in uses.items():
        answer = answers[use]
        if not isinstance(answer, OSError):
            faults |= dict.fromkeys(names, _fault(use.runtime, use.program, answer))
    return faults


def _answers(uses: Iterable[_Use], last: str, *, may_hang: bool) -> dict[_Use, _Seen | OSError]:
    direct = [use for use in uses if use.files_only and not may_hang]
    found: dict[_Use, _Seen | OSError] = {}
    for use in direct:
        try:
            found[use] = _examine(use, last)
        except OSError as error:
            found[use] = error
        except ValueError as error:  # a path with a NUL in it
            found[use] = OSError(str(error))
    if asked := [use for use in uses if use not in found]:
        from providers.filesystem.bounded_look import ask

        answers = ask({repr(use): partial(_examine, use, last) for use in asked})
        found |= {use: answers[repr(use)] for use in asked}
    return found


def _use(agent: Agent, facts: HostFacts, environ: Mapping[str, str]) -> _Use:
    own = {name: value.literal for name, value in agent.env if value.literal is not None}
    around = {**environ, **own}
    where = (around.get("HOME") or facts.home, around.get("PATH", ""), agent.path)
    program = agent.argv[0]
    if "/" in program and not program.startswith("/"):
        program = os.path.join(agent.working_directory, program)
    return _Use(agent.runtime, program, where)


_Seen = tuple[str, str, str, str, str]  # path, word, its need, version, PATH


def program_fault(runtime: str, program: str, search: str) -> ProgramFault | None:
    """The fault of one program; None if none was found. `search`: a PATH. May hang with a file system."""
    return _fault(runtime, program, _seen(runtime, program, search))


def _examine(use: _Use, last: str) -> _Seen:
    """Runs in the process that we may leave behind, if one is needed: plain values only."""
    home, given, first = use.search
    search = search_path({"HOME": home, "PATH": given}, first, last)
    return _seen(use.runtime, use.program, search, files_only=use.files_only)


def _seen(runtime: str, program: str, search: str, *, files_only: bool = False) -> _Seen:
    path = program if "/" in program else found(program, search)
    if "/" in program and not _executable(path):
        return path, "not-executable" if os.path.isfile(path) else "not-installed", "", "", search
    if not path:
        there = _not_executable(program, search)
        return there, "not-executable" if there else "not-installed", "", "", search
    word, needs = _first_bytes(path, search)
    if word:
        return path, word, needs, "", search
    package = _package(path)
    if not files_only and (wanted := _wanted_node(path, package)):
        from providers.program_fault import is_older

        there = _node_version(search)
        if there and is_older(there, wanted):
            return path, "too-old", f"node {wanted} or newer", there, search
    return path, "", "", str(package.get("version", "")) if _is_known(runtime, package) else "", search


def _is_known(runtime: str, package: Mapping[str, object]) -> bool:
    if not package:
        return False
    from providers.program_fault import PACKAGES

    return runtime in PACKAGES and package.get("name") == PACKAGES[runtime][0]


def _executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK) and bool(os.stat(path).st_mode & 0o111)


def _not_executable(program: str, search: str) -> str:
    """A file of that name on PATH that nobody may execute."""
    for folder in search.split(":"):
        path = os.path.join(folder or ".", program)
        if os.path.isfile(path):
            return path
    return ""


def _first_bytes(path: str, search: str) -> tuple[str, str]:
    """How the kernel will treat the file: the word of the fault, and what is missing."""
    try:
        head = read_regular(path, limit=512, cut=True)
    except (PermissionError, NotRegularError):
        return "", ""  # it may be executable all the same
    if head.startswith(_ELF) and len(head) >= 20:
        order: Literal["little", "big"] = "big" if head[5] == 2 else "little"
        machine, here = int.from_bytes(head[18:20], order), os.uname().machine
        if here in _MACHINES and machine not in _COMPATIBLE.get(here, {_MACHINES[here]}):
            return "wrong-processor", _NAMES.get(machine, f"processor {machine}")
    if head.startswith(b"#!"):
        words = head[2:].split(b"\n")[0].decode("utf-8", "replace").split()
        return ("no-interpreter", missing) if (missing := _missing(words, search)) else ("", "")
    return "", ""


def _missing(words: Sequence[str], search: str) -> str:
    """The missing interpreter of a script, "" if it exists."""
    if not words:
        return ""
    if not _executable(words[0]):
        return words[0]
    if os.path.basename(words[0]) != "env":
        return ""
    # env finds it on PATH: the first word that is neither an option nor a setting of a variable
    name = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), "")
    return name if name and not ("/" in name and _executable(name)) and not found(name, search) else ""


def _package(path: str) -> Mapping[str, object]:
    """The package.json that npm put beside a program, empty if npm did not install it."""
    real = os.path.realpath(path)
    if "/node_modules/" not in real:
        return {}
    folder = os.path.dirname(real)
    for _ in range(_UP):
        body = _json(f"{folder}/package.json")
        if isinstance(body, dict) and body.get("name"):
            return body
        folder = os.path.dirname(folder)
    return {}


def _wanted_node(path: str, package: Mapping[str, object]) -> str:
    """The oldest node that a package asks for, "" if it asks for none or in a form that we do not parse."""
    engines = package.get("engines")
    asked = str(engines.get("node", "")).strip() if isinstance(engines, dict) else ""
    plain = re.fullmatch(r">=\s*v?(\d+(?:\.\d+){0,2})", asked)
    return plain[1] if plain and os.path.realpath(path).endswith((".js", ".mjs", ".cjs")) else ""


def _node_version(search: str) -> str:
    """The version of the node on a PATH, "" if there is none or it gives no answer."""
    try:
        done = run(["node", "--version"], {"PATH": search}, timeout_s=_NODE_S)
    except SpawnError:
        return ""
    return done.out.decode("utf-8", "replace").strip().removeprefix("v") if done.status == 0 else ""


def _json(path: str) -> object:
    """None if the file does not exist or is not JSON."""
    try:
        return json.loads(read_regular(path, limit=_PACKAGE_BYTES, cut=True))
    except (OSError, ValueError):
        return None


def _fault(runtime: str, program: str, seen: _Seen) -> ProgramFault | None:
    """The answer in words. Pure, but for the name of this machine's processor."""
    path, word, needs, version, search = seen
    if not word and not version:
        return None
    from providers.program_fault import PACKAGES, ProgramFault, install, is_older

    if word == "not-installed":
        where, searched = ("is not there", "") if "/" in program else ("is not on an agent's PATH", search)
        repair = install(runtime, program)
        return ProgramFault(word="not-installed", why=f"{program} {where}", repair=repair, searched=searched)
    if word == "not-executable":
        repair = f"chmod +x {shlex.quote(path)}"
        return ProgramFault(word="not-executable", why=f"{path} may not be executed", repair=repair)
    if word == "wrong-processor":
        here = os.uname().machine
        why = f"{path} is for {needs}, but this machine is {here}"
        return ProgramFault(word="wrong-processor", why=why, repair=install(runtime, program))
    if word == "no-interpreter":
        package = _INTERPRETERS.get(os.path.basename(needs), f"install {needs}")
        why = f"{path} needs {needs}, which is missing"
        return ProgramFault(word="no-interpreter", why=why, repair=package, searched=search)
    if word == "too-old":
        why = f"{path} needs {needs}, but version {version} is installed"
        return ProgramFault(word="too-old", why=why, repair=f"install a newer {needs.split()[0]}")
    if version and is_older(version, PACKAGES[runtime][2]):
        why = f"{path} is version {version}, but {PACKAGES[runtime][2]} is the oldest that is known to work"
        return ProgramFault(word="too-old", why=why, repair=install(runtime, program))
    return None
