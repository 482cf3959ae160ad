"""The programs that everything needs: their minimum versions, and the versions known to work. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.doctor.check import Check, Unseen, unseen
from specs.dataclass import dataclass

VersionNumbers = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """`minimum` has everything that is used; from `known` on it was tried. `package` is Debian's name."""

    minimum: VersionNumbers
    known: VersionNumbers
    package: str


NEEDS: Mapping[str, Requirement] = {
    "python": Requirement(minimum=(3, 11), known=(3, 11), package="python3"),
    "systemd": Requirement(minimum=(236,), known=(252,), package="systemd"),  # systemd-run --collect
    "tmux": Requirement(minimum=(3, 2), known=(3, 3), package="tmux"),  # new-session -e, and -N
    "git": Requirement(minimum=(2, 31), known=(2, 39), package="git"),  # GIT_CONFIG_COUNT
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundProgram:
    """What a program says of its version, in its first line; and where it is."""

    name: str
    path: str
    said: str | Unseen


def judge_programs(programs: tuple[FoundProgram, ...], helpers: Mapping[str, str]) -> list[Check]:
    """`helpers`: further programs that are needed here and were not found, and the package of each."""
    checks = [_judge(one, NEEDS[one.name]) for one in programs]
    for name, package in sorted(helpers.items()):
        install = (f"sudo apt install {package}",)
        checks.append(Check(name=name, group="programs", result="fail", found=f"{name} is not on PATH", mend=install))
    return checks


def parse_version(said: str) -> VersionNumbers:
    """The first number in it, such as (3, 3) of `tmux 3.3a`; empty if it has none."""
    found = re.search(r"\d+(?:\.\d+)*", said)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _judge(program: FoundProgram, need: Requirement) -> Check:
    name, said = program.name, program.said
    install = (f"sudo apt install {need.package}",)
    if isinstance(said, Unseen):
        if said.missing:
            return Check(name=name, group="programs", result="fail", found=said.why, mend=install)
        return unseen(name, "programs", said)
    version, where = parse_version(said), f" ({program.path})" if program.path else ""
    shown = f"{said}{where}"
    if not version:
        return Check(
            name=name,
            group="programs",
            result="unknown",
            found=f"{shown}: this is not a version that can be compared",
            advice=f"{_dots(need.minimum)} or newer is needed, {_dots(need.known)} is known to work",
        )
    if version < need.minimum:
        found = f"{shown}: {_dots(need.minimum)} or newer is needed"
        return Check(
            name=name,
            group="programs",
            result="fail",
            found=found,
            mend=install,
            advice=f"if the package is too old as well, use a newer release of the distribution: {_dots(need.known)} "
            "is known to work",
        )
    if version < need.known:
        return Check(
            name=name,
            group="programs",
            result="warn",
            found=f"{shown}: has what is needed, and is older than what is known to work ({_dots(need.known)})",
            advice="try it: mosaic doctor --contract stub",
        )
    return Check(name=name, group="programs", result="ok", found=shown)


def _dots(version: VersionNumbers) -> str:
    return ".".join(map(str, version))
