"""Held changes: when each happens by itself, and how to have it now. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from providers.base import HeldReason, Verb
from providers.names import HOLDER_UNIT, agent_unit
from reconciler.helpers.times import spell_duration
from reconciler.model import Held
from specs.dataclass import dataclass

NEVER = "not by itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """`comes`: when it is done without anybody's doing, as a sentence's part. `now`: the command that does not wait for
    that, "" where the held message has the way out, or there is none."""

    comes: str
    now: str


# What has to come about; "" where nothing does without a person.
_ONCE: Mapping[HeldReason, str] = {
    HeldReason.WORKING: "once it is idle",
    HeldReason.LIMIT: "once its usage limit has ended",
    HeldReason.MAX_UNAVAILABLE: "once enough others are back",
    HeldReason.NOT_INSTALLED: "once it is installed",
    HeldReason.NOT_RUNNABLE: "once it can be executed",
    HeldReason.MASKED: "once it is unmasked",
    HeldReason.OVERRIDDEN: "once that is taken away",
    HeldReason.UNKNOWN: "once that can be told",
    HeldReason.DEPENDENCY: "once that is as it should be",
    HeldReason.MOVING: "once that host has let it go",
    HeldReason.NOT_OWNED: "once that is out of the way",
    HeldReason.CRASH_LOOP: "once the wait is over",
    HeldReason.SUSPENDED: "",
    HeldReason.PAUSED: "",
    HeldReason.PRUNE: "",
    HeldReason.FLOOR: "",
    HeldReason.UNSUPPORTED: "",
}


def way(held: Held, now: float, *, desired: str = "", whole: bool = False, looks: bool = True) -> Way:
    """`desired`: what git says of the agent, "" where that is not known. `whole`: whether the whole fleet is suspended.
    `looks`: whether this host reconciles by itself, without which nothing comes but with the next run."""
    once = _ONCE[held.reason]
    if held.until is not None and held.reason in (HeldReason.CRASH_LOOP, HeldReason.SUSPENDED, HeldReason.LIMIT):
        once = f"in {spell_duration(held.until - now)}"
    if held.target == HOLDER_UNIT and held.reason is HeldReason.WORKING:
        once = "once no agent lives in it"
    by = "by itself" if looks else "with the next run"
    drained = held.reason is HeldReason.WORKING and held.until is None and held.agent is not None
    command = _command(held, desired, whole=whole)
    if command and command in held.message:
        command = ""
    return Way(comes=NEVER if not once or (drained and _is_by_hand(held)) else f"{by} {once}", now=command)


def force(agent: str, verb: Verb, desired: str) -> str:
    """The command that ends an agent for a change that waits for it to be idle."""
    if verb is Verb.RESTART:
        return f"mosaic fleet restart {agent} --force"
    if desired in ("absent", "undeclared"):
        return f"mosaic fleet remove {agent} --force"
    return f"mosaic fleet stop {agent} --force" if desired == "stopped" else ""


def _is_by_hand(held: Held) -> bool:
    """Whether the rollout policy leaves it to people."""
    return held.message.startswith("the rollout policy is never")


def _command(held: Held, desired: str, *, whole: bool) -> str:
    name = held.agent
    if held.reason is HeldReason.PAUSED:
        return "mosaic fleet resume"
    if held.reason is HeldReason.SUSPENDED:
        return f"mosaic fleet unsuspend {'--all' if whole or name is None else name}"
    if held.reason is HeldReason.UNKNOWN:
        return "mosaic doctor"
    if held.target == HOLDER_UNIT and held.reason is HeldReason.WORKING:
        return "mosaic fleet release --holder"
    if name is None:
        return ""
    if held.reason in (HeldReason.WORKING, HeldReason.LIMIT):
        return force(name, held.verb, desired) if held.target == agent_unit(name) else ""
    if held.reason in (HeldReason.CRASH_LOOP, HeldReason.MOVING) or held.losses:
        return f"mosaic fleet release {name}"
    return "mosaic doctor" if held.reason in (HeldReason.NOT_INSTALLED, HeldReason.NOT_RUNNABLE) else ""
