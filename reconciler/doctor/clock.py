"""The clock: whether something keeps it right, and whether it was set back. Pure."""

from __future__ import annotations

from reconciler.doctor.check import Check, Unseen, unseen
from reconciler.helpers.times import rfc3339, spell_duration
from specs.dataclass import dataclass

TOLERANCE_S = 15.0  # as far ahead as a heartbeat may be


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFacts:
    """`newest` is the latest time that we have written down ourselves, and `stamp` where; 0 where nothing was."""

    now: float
    synchronised: bool | Unseen
    newest: float = 0.0
    stamp: str = ""


def judge_clock(clock: ClockFacts) -> list[Check]:
    """Both are warnings: nothing is restarted because of a clock, but times and waits cannot be relied on."""
    checks = [_back(clock)]
    if isinstance(clock.synchronised, Unseen):
        checks.append(unseen("clock-sync", "clock", clock.synchronised))
    elif clock.synchronised:
        checks.append(Check(name="clock-sync", group="clock", result="ok", found="synchronised with a time server"))
    else:
        checks.append(
            Check(
                name="clock-sync",
                group="clock",
                result="warn",
                found="the clock is not synchronised with a time server",
                mend=("sudo timedatectl set-ntp true",),
                advice="in a container: on the machine around it",
            )
        )
    return checks


def _back(clock: ClockFacts) -> Check:
    ahead = clock.newest - clock.now
    if ahead <= TOLERANCE_S:
        return Check(name="clock", group="clock", result="ok", found=f"it is {rfc3339(clock.now)}")
    return Check(
        name="clock",
        group="clock",
        result="warn",
        found=f"it is {rfc3339(clock.now)}, and {clock.stamp} was stamped {rfc3339(clock.newest)}: the clock was set "
        f"back by at least {spell_duration(ahead)}",
        mend=("date", "sudo timedatectl set-ntp true"),
        advice="if the clock is right now: reconcile",
    )
