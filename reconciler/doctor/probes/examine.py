"""From the machine to a report: look at everything once, then judge it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from providers.host import Look, UnitState
from providers.kinds.framework import RECONCILER_UNITS
from providers.kinds.overrides import Override, overrides
from providers.machine.facts import gather
from providers.machine.local_host import LocalHost
from reconciler.doctor.check import Check, Report, Unseen
from reconciler.doctor.clock import judge_clock
from reconciler.doctor.files import judge_disks, judge_heartbeats, judge_modes, judge_watches
from reconciler.doctor.leftovers import judge_leftovers
from reconciler.doctor.loop import KillSwitch, Loop, judge_loop
from reconciler.doctor.probes import files, runtimes
from reconciler.doctor.probes import fleet as look_fleet
from reconciler.doctor.probes import host as look_host
from reconciler.doctor.probes import tmux as look_tmux
from reconciler.doctor.programs import judge_programs
from reconciler.doctor.repository import judge_repository
from reconciler.doctor.runtimes import judge_runtimes
from reconciler.doctor.session import judge_environment, judge_host, judge_locale, judge_tmux_attach
from reconciler.doctor.systemd import Placement, judge_linger, judge_manager, judge_overrides, judge_placement
from reconciler.doctor.terminals import judge_terminals
from reconciler.errors import Unavailable


def examine(fleet: str | None) -> Report:
    """Look at this host, and at a fleet (None: the only one). Changes nothing.

    Raises NotFound if the named fleet has not run here, Unavailable on a machine without /proc.
    """
    if not os.path.isdir("/proc/self"):
        raise Unavailable("there is no /proc on this machine, so nothing can be seen", help="run it on Linux")
    environ = dict(os.environ)
    facts = gather(environ)
    one = look_fleet.known(facts, fleet)
    host = LocalHost(environ, facts)
    try:
        checks = _checks(one, host, environ)
    finally:
        host.close()
    status = one.status
    return Report(
        fleet=status.fleet if status else one.store.state.name if one.store else "",
        tenant_id=status.tenant_id if status else facts.user,
        host=status.host if status else one.settings.host or facts.hostname,
        at=time.time(),
        checks=tuple(checks),
    )


def _checks(one: look_fleet.KnownFleet, host: LocalHost, environ: dict[str, str]) -> list[Check]:
    facts, now = host.facts, time.time()
    sockets = look_fleet.sockets(one)
    look = host.look()
    processes = look_host.attempt(look.processes)
    pids = {} if isinstance(processes, Unseen) else processes
    manager, units = look_host.manager(facts, environ, host.systemd, look)
    there = (
        look_host.manager_environment(environ) if manager.answers else Unseen(why="the user's systemd is not reached")
    )
    tmux = look_tmux.servers(facts, environ, look, sockets)
    needed = look_fleet.runs_agents(one)
    missing = {
        name: package for name, package in look_fleet.helpers(one).items() if not look_host.whereabouts(name, environ)
    }
    placement = Placement(
        servers=tmux.servers,
        panes=tmux.panes,
        here=look_host.unit_here(look),
        controllers=look_host.controllers(pids) if manager.answers else Unseen(why="the user's systemd is not reached"),
        limited=look_fleet.limited(one),
        asked=look_fleet.asked(one),
    )
    disks = [
        look_host.disk("state", f"{facts.state_home}/mosaic"),
        look_host.disk("runtime", facts.runtime_dir),
        look_host.disk("home", facts.mosaic_home),
    ]
    return [
        *judge_programs(look_host.programs(environ), missing),
        judge_manager(manager),
        judge_linger(manager, needed=needed),
        judge_overrides(_overrides(one, look) if manager.answers else Unseen(why="the user's systemd is not reached")),
        judge_host(look_host.refusal(one.settings, host)),
        *judge_placement(placement),
        judge_locale(environ, usable=look_host.locale_is_usable(environ)),
        judge_environment(environ, there),
        judge_tmux_attach(environ, facts.uid, sockets),
        *judge_runtimes(runtimes.look(facts, environ, one.settings, one.desired, tmux.environments, there)),
        *judge_terminals(tmux.terminals),
        *judge_disks(disks),
        judge_modes(look_host.attempt(lambda: files.modes(facts))),
        judge_heartbeats(look_host.attempt(lambda: files.heartbeat_facts(facts)), needed=needed),
        judge_watches(look_host.watches(pids), resident=one.settings.install == "watch"),
        *judge_clock(look_fleet.clock(one, now, look_host.synchronised())),
        *_fleet(one),
        *judge_repository(look_fleet.repository(one, facts), now=now),
        *judge_loop(
            _loop(one, host, look_host.attempt(lambda: look.enabled() | look.enabled("timers.target")), units, now),
            now=now,
        ),
        *judge_leftovers(files.leftovers(one, facts, look)),
    ]


def _overrides(one: look_fleet.KnownFleet, look: Look) -> Mapping[str, Override] | Unseen:
    names = [agent.name for agent in one.desired.agents if agent.state == "running"] if one.desired is not None else []
    return look_host.attempt(lambda: overrides(look, names, RECONCILER_UNITS[one.settings.install]))


def _fleet(one: look_fleet.KnownFleet) -> list[Check]:
    """Which fleet the rest is about, and what of its memory is damaged."""
    name = "fleet"
    if one.trouble:
        several = one.trouble.startswith("several")
        begin = "mosaic fleet install" if one.spec else "mosaic fleet install ~/fleet"
        return [
            Check(
                name=name,
                group="source",
                result="warn",
                found=f"{one.trouble}: what belongs to one was not looked at",
                mend=("mosaic doctor --fleet NAME",) if several else (begin,),
                advice="" if several or one.spec else "with the path or URL of your fleet's repository",
            )
        ]
    if one.store is None:
        return []
    if one.warnings:
        return [
            Check(
                name=name,
                group="source",
                result="warn",
                found="; ".join(one.warnings),
                mend=("reconcile",),
                advice="see docs/recover.md, Memory",
            )
        ]
    if one.desired is None:
        return [
            Check(
                name=name,
                group="source",
                result="warn",
                found=f"{one.store.state.name}: what it declares cannot be read here, so its agents were not looked at",
                mend=("reconcile",),
            )
        ]
    count = len(one.desired.agents)
    found = f"{one.desired.name}, {count} agent{'' if count == 1 else 's'} on {one.desired.host}"
    return [Check(name=name, group="source", result="ok", found=found)]


def _loop(
    one: look_fleet.KnownFleet,
    host: LocalHost,
    enabled: frozenset[str] | Unseen,
    units: Mapping[str, UnitState] | Unseen,
    now: float,
) -> Loop:
    from reconciler.state.lock import holder
    from reconciler.state.pause import merge, read_pause

    pause = read_pause(host.facts)
    switch = None if pause is None else KillSwitch(reason=pause.reason, by=pause.by, since=pause.since)
    local = one.store.load_suspensions() if one.store is not None else {}
    declared = one.desired.suspended if one.desired is not None else {}
    running = holder(one.store) if one.store is not None else None
    last = one.status.last_run if one.status is not None else None
    return Loop(
        install=one.settings.install,
        units=units,
        enabled=enabled,
        interval=one.desired.policy.interval if one.desired is not None else 60.0,
        last_run=one.status.updated_at if one.status is not None else 0.0,
        exit_code=last.exit_code if last is not None else 0,
        running="" if running is None else running.described(now),
        kill_switch=switch,
        suspended=merge(declared, local, now),
        ran=one.store is not None,
        named=one.spec is not None,
    )
