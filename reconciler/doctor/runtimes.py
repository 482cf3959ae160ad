"""The program of each runtime, as an agent would find it. Pure."""

from __future__ import annotations

import os.path
import shlex

from providers.program_fault import PACKAGES, ProgramFault
from reconciler.doctor.check import Check, Unseen
from specs.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeProgram:
    """`path` is where an agent finds `program`, "" if nowhere; `elsewhere` where this shell, or npm, has it then.
    `agents` are those that use it on this host. `search` is the PATH that was searched. `fault`: why it cannot be
    started, as far as its files tell."""

    runtime: str
    program: str
    agents: tuple[str, ...]
    path: str
    version: str | Unseen
    elsewhere: str = ""
    search: str = ""
    fault: ProgramFault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtimes:
    """`settings_file` is where `path` is set, and `path_is_set` whether it already is; `npm`: npm is installed."""

    programs: tuple[RuntimeProgram, ...]
    settings_file: str
    path_is_set: bool
    npm: bool


def judge_runtimes(runtimes: Runtimes) -> list[Check]:
    """One check for each program; those that no agent uses are only mentioned."""
    return [_judge(one, runtimes) for one in runtimes.programs]


def _judge(one: RuntimeProgram, runtimes: Runtimes) -> Check:
    name = f"runtime-{one.runtime}"
    used = f"used by {_some(one.agents)}" if one.agents else "no agent uses it"
    if one.fault is not None and one.fault.word != "not-installed" and one.agents:
        return Check(
            name=name,
            group="runtimes",
            result="fail" if one.fault.certain else "warn",
            found=f"{one.fault.why}; {used}",
            advice=one.fault.repair,
        )
    if one.path:
        if isinstance(one.version, Unseen):
            found = f"{one.path} does not tell its version ({one.version.why}); {used}"
            return Check(
                name=name,
                group="runtimes",
                result="warn" if one.agents else "ok",
                found=found,
                mend=(f"{shlex.quote(one.path)} --version",),
            )
        tried = PACKAGES.get(one.runtime, ("", "", ""))[1]
        note = f"; {tried} was tried, this one can be: mosaic doctor --contract {one.runtime}"
        note = note if tried and tried not in one.version else ""
        return Check(name=name, group="runtimes", result="ok", found=f"{one.version}, {one.path}; {used}{note}")
    if not one.agents:
        return Check(name=name, group="runtimes", result="ok", found=f"{one.program} is not installed; {used}")
    if os.path.dirname(one.program):
        return Check(
            name=name,
            group="runtimes",
            result="fail",
            found=f"{one.program} is not a program; {used}",
            advice=f"install it there, or correct the command of the runtime {one.runtime} in roster.yaml",
        )
    if one.elsewhere:
        return _out_of_reach(name, one, used, runtimes)
    found = f"{one.program} is not on an agent's PATH ({one.search}); {used}"
    if one.runtime not in PACKAGES or one.program != one.runtime:
        return Check(
            name=name,
            group="runtimes",
            result="fail",
            found=found,
            advice=f"install {one.program}, or correct the command of the runtime {one.runtime} in roster.yaml",
        )
    mend: tuple[str, ...] = (f"npm install --global --prefix ~/.local {PACKAGES[one.runtime][0]}",)
    if not runtimes.npm:
        mend = ("sudo apt install nodejs npm", *mend)
    return Check(
        name=name, group="runtimes", result="fail", found=found, mend=mend, advice="then log in to it once by hand"
    )


def _out_of_reach(name: str, one: RuntimeProgram, used: str, runtimes: Runtimes) -> Check:
    folder = os.path.dirname(one.elsewhere)
    line = f'path = ["{folder}"]'
    add = f'add "{folder}" to path in {runtimes.settings_file}, then run `reconcile`'
    mend = (f"echo {shlex.quote(line)} >>{shlex.quote(runtimes.settings_file)}", "reconcile")
    return Check(
        name=name,
        group="runtimes",
        result="fail",
        found=f"{one.program} is at {one.elsewhere}, which is not on an agent's PATH ({one.search}); {used}",
        mend=() if runtimes.path_is_set else mend,
        advice=add if runtimes.path_is_set else "",
    )


def _some(names: tuple[str, ...], most: int = 4) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
