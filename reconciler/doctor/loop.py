"""Whether something reconciles this host: the timer or the resident loop, the last run, and who paused it. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from providers.host import UnitState
from reconciler.doctor.check import Check, Unseen, unseen
from reconciler.helpers.times import spell_duration
from specs.compiled import Suspension
from specs.dataclass import dataclass

TIMER, SERVICE, RESIDENT = "mosaic-reconcile.timer", "mosaic-reconcile.service", "mosaic-reconcile-watch.service"
LATE_S = 120.0  # a run may take a while, and so may a machine that has just woken up


@dataclass(frozen=True, slots=True, kw_only=True)
class KillSwitch:
    """The kill switch."""

    reason: str
    by: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """`install` is none, timer or watch. `last_run` is when the last run ended, 0 if never; `exit_code` how.
    `running` says which run is under way, "" if none is."""

    install: str
    units: Mapping[str, UnitState] | Unseen
    enabled: frozenset[str] | Unseen
    interval: float
    last_run: float
    exit_code: int
    running: str
    kill_switch: KillSwitch | None
    suspended: Mapping[str, Suspension]
    ran: bool  # a fleet has run here at all
    named: bool  # its repository is known


def judge_loop(loop: Loop, *, now: float) -> list[Check]:
    """The unit, the last run, and what holds it back on purpose."""
    return [_unit(loop), *_failed(loop), *_last_run(loop, now), _kill_switch(loop, now), _suspended(loop, now)]


def _unit(loop: Loop) -> Check:
    name = "reconciler"
    if loop.install == "none":
        if not loop.ran:
            return Check(name=name, group="loop", result="ok", found="there is nothing to reconcile yet")
        return Check(
            name=name,
            group="loop",
            result="warn",
            found="this host does not reconcile by itself: what breaks stays broken until somebody runs `reconcile`",
            mend=("mosaic fleet install",) if loop.named else ("mosaic fleet install ~/fleet",),
            advice="" if loop.named else "with the path or URL of your fleet's repository",
        )
    if isinstance(loop.units, Unseen):
        return unseen(name, "loop", loop.units)
    unit = TIMER if loop.install == "timer" else RESIDENT
    again = ("mosaic fleet install --watch",) if loop.install == "watch" else ("mosaic fleet install",)
    log = f"journalctl --user -u {SERVICE if loop.install == 'timer' else RESIDENT} -n 50"
    state = loop.units.get(unit)
    if state is None or state.load != "loaded":
        return Check(
            name=name,
            group="loop",
            result="fail",
            found=f"{unit} is installed, and systemd has no such unit",
            mend=again,
        )
    if state.active not in ("active", "activating", "reloading"):
        return Check(
            name=name,
            group="loop",
            result="fail",
            found=f"{unit} is {state.active}: nothing reconciles this host",
            mend=(f"systemctl --user restart {unit}", log),
        )
    if isinstance(loop.enabled, frozenset) and unit not in loop.enabled:
        return Check(
            name=name,
            group="loop",
            result="fail",
            found=f"{unit} runs, and will not after a reboot",
            mend=(f"systemctl --user enable {unit}",),
        )
    service = loop.units.get(SERVICE)
    if loop.install == "timer" and service is not None and service.active == "failed":
        return Check(
            name=name,
            group="loop",
            result="fail",
            found=f"{TIMER} is active, and the last run failed",
            mend=(log, "reconcile"),
        )
    return Check(name=name, group="loop", result="ok", found=f"{unit} is active and enabled")


def _failed(loop: Loop) -> list[Check]:
    """Every other unit of ours that has failed, such as an agent's."""
    if isinstance(loop.units, Unseen):
        return []
    failed = sorted(unit for unit, state in loop.units.items() if state.active == "failed" and unit != SERVICE)
    if not failed:
        return []
    return [
        Check(
            name="failed-units",
            group="loop",
            result="warn",
            found=", ".join(failed),
            mend=tuple(f"systemctl --user status {shlex.quote(unit)}" for unit in failed[:3]),
            advice="an agent's is tried again by itself; see docs/recover.md, A unit has failed",
        )
    ]


def _last_run(loop: Loop, now: float) -> list[Check]:
    name = "last-run"
    if not loop.ran:
        return []
    if not loop.last_run:
        return [
            Check(
                name=name, group="loop", result="warn", found="no run has ended on this host yet", mend=("reconcile",)
            )
        ]
    age = now - loop.last_run
    found = f"{spell_duration(age)} ago, with exit code {loop.exit_code}"
    if loop.running:
        return [Check(name=name, group="loop", result="ok", found=f"{found}; one is under way: {loop.running}")]
    if loop.install != "none" and age > 3 * loop.interval + LATE_S:
        unit = SERVICE if loop.install == "timer" else RESIDENT
        return [
            Check(
                name=name,
                group="loop",
                result="fail",
                found=f"{found}, and it should be every {spell_duration(loop.interval)}: the reconciler is dead",
                mend=(
                    f"systemctl --user restart {TIMER if loop.install == 'timer' else RESIDENT}",
                    f"journalctl --user -u {unit} -n 50",
                ),
            )
        ]
    if loop.exit_code != 0:
        return [Check(name=name, group="loop", result="warn", found=found, mend=("mosaic fleet status",))]
    return [Check(name=name, group="loop", result="ok", found=found)]


def _kill_switch(loop: Loop, now: float) -> Check:
    switch = loop.kill_switch
    if switch is None:
        return Check(name="kill-switch", group="loop", result="ok", found="not set")
    by = f" by {switch.by}" if switch.by else ""
    since = f" {spell_duration(now - switch.since)} ago" if switch.since else ""
    return Check(
        name="kill-switch",
        group="loop",
        result="warn",
        found=f"set{by}{since}: {switch.reason or 'no reason given'}; no action is taken",
        mend=("mosaic fleet resume",),
    )


def _suspended(loop: Loop, now: float) -> Check:
    name = "suspensions"
    if not loop.suspended:
        return Check(name=name, group="loop", result="ok", found="none")
    shown = [
        f"{'the whole fleet' if agent == '*' else agent} by {one.by} ({one.reason}), "
        + (f"for another {spell_duration(one.until - now)}" if one.until else "until somebody lifts it")
        for agent, one in loop.suspended.items()
    ]
    mend = tuple(f"mosaic fleet unsuspend {'--all' if agent == '*' else agent}" for agent in loop.suspended)
    return Check(
        name=name,
        group="loop",
        result="warn",
        found="; ".join(shown),
        mend=mend,
    )
