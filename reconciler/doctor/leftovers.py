"""What older installs and removed agents have left behind. Pure.

An older system of the same family has units of the very names that ours have, made by hand from its own repository, and
launch environments without a mark. Ours never overwrites them: it holds back with `not-owned`.
"""

from __future__ import annotations

import shlex

from reconciler.doctor.check import Check, Unseen, unseen
from specs.dataclass import dataclass

OUR_UNITS = ("mosaic-agent@.service", "mosaic-tmux-holder.service")
_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """All absolute paths. `units`: unit files named like ours that do not carry our mark; `envs`: launch environments
    without it; `heartbeats`: those of nobody; `links`: links of our names in the `*.wants` folders that lead nowhere;
    `nobody`: enabled units of agents that nobody declares; `old`: files of the older system that nothing reads."""

    units: tuple[str, ...] = ()
    envs: tuple[str, ...] = ()
    heartbeats: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    nobody: tuple[str, ...] = ()
    old: tuple[str, ...] = ()


def judge_leftovers(left: Leftovers | Unseen) -> list[Check]:
    """One check for each kind; a single one if there is nothing."""
    if isinstance(left, Unseen):
        return [unseen("leftovers", "leftovers", left)]
    checks = [*_units(left.units), *_aside("old-environments", left.envs, _ENVS)]
    checks += _gone("heartbeats-of-nobody", left.heartbeats, "no agent of this name is known here")
    checks += _gone("broken-links", left.links, "systemd would start what is not there")
    if left.nobody:
        found = f"enabled, and declared by nobody: {_some(left.nobody)}"
        mend = tuple(f"systemctl --user disable {shlex.quote(unit)}" for unit in left.nobody)
        checks.append(
            Check(
                name="agents-of-nobody",
                group="leftovers",
                result="warn",
                found=found,
                mend=mend,
                advice="that ends none of them; to end one, stop its unit",
            )
        )
    checks += _aside("older-files", left.old, "of an older system; nothing here reads them: {}", result="warn")
    return checks or [
        Check(name="leftovers", group="leftovers", result="ok", found="nothing is left of older installs")
    ]


_ENVS = "launch environments that this fleet did not write, and does not touch: {}"


def _units(paths: tuple[str, ...]) -> list[Check]:
    blocking = tuple(path for path in paths if path.rpartition("/")[2] in OUR_UNITS)
    others = tuple(path for path in paths if path not in blocking)
    reload = "systemctl --user daemon-reload"
    checks = []
    if blocking:
        found = f"units of an older install are where ours belong, so no agent can be started: {_some(blocking)}"
        checks.append(
            Check(
                name="old-units",
                group="leftovers",
                result="fail",
                found=found,
                mend=(*map(_move, blocking), reload, "reconcile"),
            )
        )
    if others:
        found = f"units that this fleet did not write: {_some(others)}"
        mend = [f"systemctl --user disable {shlex.quote(path.rpartition('/')[2])}" for path in others]
        checks.append(
            Check(
                name="other-units",
                group="leftovers",
                result="warn",
                found=found,
                mend=(*mend, *map(_move, others), reload),
            )
        )
    return checks


def _aside(name: str, paths: tuple[str, ...], sentence: str, result: str = "fail") -> list[Check]:
    if not paths:
        return []
    return [
        Check(
            name=name,
            group="leftovers",
            result="warn" if result == "warn" else "fail",
            found=sentence.format(_some(paths)),
            mend=tuple(map(_move, paths)),
        )
    ]


def _gone(name: str, paths: tuple[str, ...], why: str) -> list[Check]:
    if not paths:
        return []
    mend = tuple(f"rm {shlex.quote(path)}" for path in paths)
    return [Check(name=name, group="leftovers", result="warn", found=f"{_some(paths)}: {why}", mend=mend)]


def _move(path: str) -> str:
    return f"mv {shlex.quote(path)} {shlex.quote(f'{path}.aside')}"


def _some(paths: tuple[str, ...]) -> str:
    shown = ", ".join(paths[:_SHOWN])
    return shown if len(paths) <= _SHOWN else f"{shown} and {len(paths) - _SHOWN} more"
