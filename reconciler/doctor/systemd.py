"""The user's systemd: whether it answers, why not, whether it stays, and what in it would end agents. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from providers.kinds.overrides import Override
from providers.names import HOLDER_UNIT, agent_of_scope
from reconciler.doctor.check import Check, Unseen, unseen
from specs.dataclass import dataclass, field

OWN_LOOPS = ("mosaic-reconcile.service", "mosaic-reconcile-watch.service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """`runtime` is XDG_RUNTIME_DIR as it is set, and `runtime_owner` the owner of that folder, None if there is none;
    `own_runtime`: /run/user/UID is there, and `own_listens`: the manager is, too. `answers` is how systemd was reached,
    and `why` our own words for why not.
    `silent`: something listens and says nothing."""

    user: str
    uid: int
    sudo_user: str
    runtime: str
    runtime_owner: str | None
    runtime_is_ours: bool
    own_runtime: bool
    own_listens: bool
    process_1: str
    booted: bool  # systemd is process 1
    answers: Literal["", "bus", "private"]
    bus: bool  # something listens where the user bus should be
    silent: bool
    why: str
    linger: bool | Unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A tmux server of the fleet. `unit` is the innermost folder of its control group."""

    socket: str
    pid: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PanePlace:
    """The process of an agent's pane, and the unit that it is in."""

    agent: str
    pid: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """`controllers`: what systemd has handed to the user's manager. `limited`: agents that have a memory limit, and
    `asked`: those with another one, by controller."""

    servers: tuple[Server, ...] | Unseen
    panes: tuple[PanePlace, ...] = ()
    here: str = ""  # the unit that doctor itself runs in
    controllers: tuple[str, ...] | Unseen = ()
    limited: tuple[str, ...] = ()
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def judge_manager(manager: Manager) -> Check:
    """Reached or not; and if not, which of the usual reasons it is."""
    if manager.answers == "bus":
        return Check(name="user-manager", group="systemd", result="ok", found="systemd answers on the user bus")
    if manager.answers:
        instead = "systemd's own private socket serves instead"
        return Check(
            name="user-manager",
            group="systemd",
            result="warn",
            found=f"the user bus does not lead to systemd; {instead}"
            if manager.bus
            else f"there is no user bus; {instead}",
            mend=("systemctl --user status dbus.service",)
            if manager.bus
            else ("sudo apt install dbus-user-session", "systemctl --user start dbus.socket"),
        )
    found, mend, advice = _why_not(manager)
    return Check(name="user-manager", group="systemd", result="fail", found=found, mend=mend, advice=advice)


def _why_not(manager: Manager) -> tuple[str, tuple[str, ...], str]:
    user, uid, own = manager.user, manager.uid, f"/run/user/{manager.uid}"
    export = f"export XDG_RUNTIME_DIR={own} DBUS_SESSION_BUS_ADDRESS=unix:path={own}/bus"
    if not manager.booted:
        return (
            f"process 1 is {manager.process_1 or 'not known'} and not systemd, so there are no user managers here",
            (),
            "run the fleet on a machine, or in a container, that systemd boots",
        )
    if manager.silent:
        return "the user's systemd does not answer", (f"systemctl status user@{uid}.service",), ""
    if uid == 0 and manager.sudo_user and not manager.own_runtime:
        return (
            f"this runs as root, through sudo, and the agents belong to an ordinary user ({manager.sudo_user}?)",
            ("mosaic doctor",),
            "leave sudo away",
        )
    if manager.runtime and manager.runtime_owner is not None and not manager.runtime_is_ours:
        return (
            f"XDG_RUNTIME_DIR={manager.runtime} belongs to {manager.runtime_owner}, and you are {user}: a shell from "
            f"{'sudo' if manager.sudo_user else 'su'} that kept the environment",
            (*_begin(manager), export),
            f"or log in properly: machinectl shell {user}@",
        )
    begin = _begin(manager)
    if manager.own_runtime and manager.runtime != own:
        stopped = f", and {user} has a systemd manager that is not running" if begin else ""
        if not manager.runtime:
            shell = f"sudo, by {manager.sudo_user}" if manager.sudo_user else "su or cron"
            return f"XDG_RUNTIME_DIR is not set (a shell from {shell}){stopped}", (*begin, export), ""
        return f"XDG_RUNTIME_DIR={manager.runtime} does not exist, but {own} does{stopped}", (*begin, export), ""
    if begin and manager.own_runtime:
        return f"{user} has a systemd manager that is not running", begin, ""
    if begin:
        what = (
            "is not logged in and has no linger"
            if manager.linger is False
            else "has a systemd manager that is not running"
        )
        unset = "" if manager.runtime == own else " (XDG_RUNTIME_DIR is not set)"
        return f"{user} {what}, so there is no {own}{unset}", (*begin, export), ""
    return manager.why or "the user's systemd does not run", (f"systemctl status user@{uid}.service",), ""


def _begin(manager: Manager) -> tuple[str, ...]:
    """What makes the user's manager run, where it does not. Its folder may outlive it."""
    if manager.own_listens:
        return ()
    if manager.linger is False and not manager.own_runtime:
        return (f"sudo loginctl enable-linger {manager.user}",)
    return (f"sudo systemctl start user@{manager.uid}.service",)


def judge_overrides(found: Mapping[str, Override] | Unseen) -> Check:
    """Whether systemd takes the framework's files for the units, and nobody has made others of them."""
    name = "units"
    if isinstance(found, Unseen):
        return unseen(name, "systemd", found)
    if not found:
        return Check(name=name, group="systemd", result="ok", found="they match the shipped units where it matters")
    sentences = [found[unit].why for unit in sorted(found)]
    return Check(
        name=name,
        group="systemd",
        result="warn",
        found="; ".join(sentences[:5]) + (f"; and {len(sentences) - 5} more" if len(sentences) > 5 else ""),
        advice="nothing is started through these units until that is undone",
    )


def judge_linger(manager: Manager, *, needed: bool) -> Check:
    """`needed`: this host has agents that should run."""
    linger = manager.linger
    if isinstance(linger, Unseen):
        return unseen("linger", "systemd", linger)
    if linger:
        return Check(
            name="linger", group="systemd", result="ok", found=f"on: {manager.user}'s systemd outlives logouts"
        )
    return Check(
        name="linger",
        group="systemd",
        result="fail" if needed else "warn",
        found=f"off: at {manager.user}'s last logout systemd ends the manager, and every agent with it",
        mend=(f"sudo loginctl enable-linger {manager.user}",),
    )


_UNIFIED = (
    "the machine has to run with the unified control group hierarchy (systemd.unified_cgroup_hierarchy=1), and a "
    "container has to be given the controllers"
)


def judge_placement(place: Placement) -> list[Check]:
    """Whether a unit whose stop ends agents holds a tmux server, whether every pane has its own scope, and whether
    limits can be kept."""
    if isinstance(place.servers, Unseen):
        checks = [unseen("cgroup-placement", "systemd", place.servers)]
    else:
        checks = [_judge_servers(place.servers, place.panes, place.here)]
    return [*checks, _judge_memory(place), *_judge_others(place)]


def _judge_servers(servers: tuple[Server, ...], panes: tuple[PanePlace, ...], here: str) -> Check:
    bad = [sentence for server in servers if (sentence := _misplaced(server))]
    strays = [pane for pane in panes if pane.unit and agent_of_scope(pane.unit) != pane.agent]
    bad += [
        f"the pane of {pane.agent} (process {pane.pid}) runs in {pane.unit} instead of its own scope" for pane in strays
    ]
    name = "cgroup-placement"
    if not bad:
        found = "the tmux servers and the panes are in their units" if servers else "no tmux server of the fleet runs"
        agent = agent_of_scope(here)
        found += f"; this command runs in the pane of {agent}" if agent else ""
        return Check(name=name, group="systemd", result="ok", found=found)
    harsh = any(server.unit.endswith(".service") for server in servers if _misplaced(server))
    return Check(
        name=name,
        group="systemd",
        result="fail" if harsh else "warn",
        found="; ".join(bad),
        advice="the next run puts a pane into its own scope; a tmux server has to be restarted (`mosaic fleet release "
        "--holder`, then `reconcile`), which ends the conversations in it",
    )


def _misplaced(server: Server) -> str:
    what = f"the tmux server {server.socket or 'default'} (process {server.pid})"
    if server.unit in (HOLDER_UNIT, "", "-.slice"):
        return ""
    if server.unit in OWN_LOOPS:
        return f"{what} is in {server.unit}: stopping the reconciler would end every agent"
    if server.unit.endswith(".service"):
        return f"{what} is in {server.unit}: stopping that ends every agent"
    if server.unit.startswith("session-"):
        return f"{what} is in the login session {server.unit}, which may be ended at logout"
    return f"{what} is in {server.unit}, and ends with it"


def _judge_others(place: Placement) -> list[Check]:
    """The other limits, where somebody asks for them."""
    if isinstance(place.controllers, Unseen):
        return []
    return [
        Check(
            name=f"{controller}-limits",
            group="systemd",
            result="ok" if controller in place.controllers else "warn",
            found=f"the {controller} controller is delegated to the user's systemd"
            if controller in place.controllers
            else f"the {controller} controller is not delegated to the user's systemd: the limits of "
            f"{', '.join(agents)} are not kept",
            advice="" if controller in place.controllers else _UNIFIED,
        )
        for controller, agents in sorted(place.asked.items())
    ]


def _judge_memory(place: Placement) -> Check:
    name, controllers = "memory-limits", place.controllers
    if isinstance(controllers, Unseen):
        return unseen(name, "systemd", controllers)
    if "memory" in controllers:
        return Check(
            name=name, group="systemd", result="ok", found="the memory controller is delegated to the user's systemd"
        )
    who = f": the limits of {', '.join(place.limited)} are not kept" if place.limited else ", and no agent asks for it"
    return Check(
        name=name,
        group="systemd",
        result="warn" if place.limited else "ok",
        found=f"the memory controller is not delegated to the user's systemd{who}",
        advice=_UNIFIED if place.limited else "",
    )
