"""From validated specs to the desired state of one host."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from specs.compiled import (
    PRESENT,
    Agent,
    EnvValue,
    Fleet,
    Heartbeats,
    Limits,
    NotifyRule,
    Peer,
    PersonaText,
    Policy,
    Suspension,
)
from specs.fleet_files import ROSTER
from specs.loading.load import LoadResult
from specs.mission.projection import render
from specs.models.fleet import FleetSpec
from specs.models.notify import Notify
from specs.models.roster import AgentSpec, EnvSpec, Roster
from specs.models.runtimes import Runtime, argv, combine, known_runtimes
from specs.personas.persona import Persona, outdated, resolve
from specs.values.names import session_name
from specs.values.problems import Problem


class NotCompilable(ValueError):
    """The specs have fatal errors; there is no desired state to speak of."""


def compile_fleet(
    loaded: LoadResult, *, host: str, revision: str, tenant_id: str, home: str, python: str, stub_program: str
) -> Fleet:
    """The agents of `host` as plain values; `~` is `home`. Raises NotCompilable when `loaded.errors_fatal`.

    An agent without a host is on every host that asks. A held agent whose host cannot be relied on is kept on every
    host too, because leaving it out would read as its removal.
    """
    roster = loaded.roster
    if roster is None:
        raise NotCompilable("the specs have errors that concern the whole fleet")
    runtimes = _runtimes(roster, (python, "-I", "-S", stub_program))
    known = loaded.fleet.hosts
    here = [(spec, None) for spec in roster.agents if spec.host in (None, host)]
    held: list[tuple[AgentSpec, str | None]] = [
        (spec, _why(loaded.held[name][0]))
        for name, spec in loaded.held_specs.items()
        if spec.host in (None, host) or (known is not None and spec.host not in known)
    ]
    everyone: list[tuple[AgentSpec, str | None]] = sorted([*here, *held], key=lambda pair: pair[0].name)
    names = {spec.name for spec, _ in everyone}
    return Fleet(
        name=loaded.fleet.name,
        tenant_id=loaded.fleet.tenant_id or tenant_id,
        host=host,
        revision=revision,
        socket=roster.tmux.socket_name,
        holder_session=session_name(roster.tmux.holder_session),
        agents=tuple(_agent(spec, message, roster, runtimes, home, names, loaded.fleet) for spec, message in everyone),
        policy=_policy(loaded.fleet, loaded.floor),
        heartbeats=_heartbeats(loaded.fleet),
        peers=tuple(
            sorted(
                (_peer(spec, spec.host) for spec in roster.agents if spec.host not in (None, host) and spec.host),
                key=lambda peer: peer.name,
            )
        ),
        notify=tuple(_notify(one, home) for one in loaded.fleet.notify),
        suspended={s.agent: Suspension(reason=s.reason, by=s.by, until=s.until) for s in loaded.fleet.suspend},
        mission="" if loaded.north_star is None else render(loaded.north_star),
        trusts={name: rules.trust_working_directory for name, rules in loaded.fleet.classes.items()},
        on_mission={"*": loaded.fleet.mission.on_change, **loaded.fleet.mission.classes},
        personas=_personas({spec.agent_class for spec, _ in everyone}, loaded.roles),
        remarks=tuple(
            f"roles/{name}.md: the shipped contract has changed since this was written over it; "
            f"mosaic fleet persona diff {name} shows what"
            for name, persona in sorted(loaded.roles.items())
            if outdated(persona)
        ),
    )


def _personas(classes: set[str], own: Mapping[str, Persona]) -> dict[str, PersonaText]:
    found = {written: resolve(written, own) for written in sorted(classes)}
    return {
        written: PersonaText(
            text=persona.text, digest=persona.digest, purpose=persona.purpose, persistent=persona.persistent or False
        )
        for written, persona in found.items()
        if persona is not None
    }


def _why(problem: Problem) -> str:
    """Why an agent is held, where its own entry does not show it."""
    return problem.message if problem.file == ROSTER else f"{problem.file}:{problem.line}: {problem.message}"


def _agent(
    spec: AgentSpec,
    held: str | None,
    roster: Roster,
    runtimes: dict[str, Runtime],
    home: str,
    names: set[str],
    rules: FleetSpec,
) -> Agent:
    runtime = runtimes.get(spec.runtime, _UNREADABLE)
    defaults, said = roster.defaults, spec.model_fields_set
    command = _program(
        argv(
            runtime,
            model=spec.model_hint,
            yolo=spec.yolo if "yolo" in said else defaults.yolo,
            command=spec.command,
            inherited=defaults.args or (),
            args=spec.args or (),
        ),
        home,
    )
    env = {**defaults.env, **spec.env}
    limits = {**dict(defaults.resources), **spec.resources.model_dump(exclude_none=True)}
    program = posixpath.basename(command[0]) if command else ""
    processes = dict.fromkeys((*runtime.process_names, program) if program else runtime.process_names)
    return Agent(
        name=spec.name,
        session=session_name(spec.name),
        agent_class=spec.agent_class,
        runtime=spec.runtime,
        state=spec.state,
        socket=roster.tmux.socket_name if spec.socket is None else spec.socket,
        working_directory=expand(spec.working_directory or defaults.working_directory, home),
        argv=command,
        process_names=tuple(processes),
        env=tuple((name, _env(env[name], home)) for name in sorted(env)),
        path=tuple(expand(folder, home) for folder in runtime.path),
        limits=Limits(**limits),
        model=spec.model_hint,
        native_heartbeat=runtime.native_heartbeat,
        reset_command=runtime.reset_command,
        submit_key=runtime.submit_key,
        depends_on=tuple(sorted(set(spec.depends_on) & names)),
        alias=spec.alias,
        generation=spec.generation,
        ssh=spec.ssh,
        groups=tuple(sorted(set(spec.groups))),
        kickstart=spec.kickstart_template or defaults.kickstart_template,
        reset_between_tasks=spec.reset_between_tasks if "reset_between_tasks" in said else defaults.reset_between_tasks,
        resume=spec.resume if "resume" in said else defaults.resume,
        restart_session="" if spec.restart_session == PRESENT else spec.restart_session,
        resume_nudge=_nudge(spec.resume_nudge or rules.resume_nudge),
        limit_nudge=_nudge(spec.limit_nudge or rules.limit_nudge),
        held=held,
        placed=spec.host is not None,
    )


def _nudge(written: str) -> str:
    """`off` is the word for nothing."""
    return "" if written == "off" else written


def _peer(spec: AgentSpec, host: str) -> Peer:
    return Peer(
        name=spec.name,
        agent_class=spec.agent_class,
        runtime=spec.runtime,
        state=spec.state,
        host=host,
        ssh=spec.ssh,
        alias=spec.alias,
        model=spec.model_hint,
        groups=tuple(sorted(set(spec.groups))),
    )


_UNREADABLE = Runtime(command=(), process_names=())


def expand(path: str, home: str) -> str:
    """`~` and `~/...` below `home`; anything else as it is, without a trailing slash."""
    if path == "~" or path.startswith("~/"):
        path = posixpath.join(home, path[2:])
    return posixpath.normpath(path)


def _runtimes(roster: Roster, stub_argv: tuple[str, ...]) -> dict[str, Runtime]:
    runtimes = known_runtimes(stub_argv)
    for name, declared in roster.runtimes.items():
        runtimes[name] = combine(runtimes.get(name), name, declared)
    return runtimes


def _program(command: tuple[str, ...], home: str) -> tuple[str, ...]:
    if command and command[0].startswith("~/"):
        return (posixpath.join(home, command[0][2:]), *command[1:])
    return command


def _env(value: EnvSpec, home: str) -> EnvValue:
    file = None if value.from_file is None else expand(value.from_file, home)
    return EnvValue(literal=value.literal, from_env=value.from_env, from_file=file)


def _policy(fleet: FleetSpec, floor: str) -> Policy:
    loop = fleet.reconcile
    return Policy(
        interval=loop.interval,
        max_removals=loop.prune.max_removals,
        on_change=loop.rollout.on_change,
        max_unavailable=loop.rollout.max_unavailable,
        drain_timeout=loop.rollout.drain_timeout,
        moving=loop.rollout.moving,
        backoff_initial=loop.backoff.initial,
        backoff_maximum=loop.backoff.maximum,
        backoff_reset_after=loop.backoff.reset_after,
        quarantine_restarts=loop.quarantine.restarts,
        quarantine_within=loop.quarantine.within,
        restart_budget=loop.restart_budget,
        floor="two-agent" if floor == "two-agent" else "none",
    )


def _notify(one: Notify, home: str) -> NotifyRule:
    return NotifyRule(
        name=one.shown_name,
        use=one.use or "command",
        argv=_program(one.command or (), home),
        to=one.to or "",
        kinds=one.kinds,
        after=one.after,
        repeat=one.repeat or 0.0,
        quiet=one.quiet_hours,
        timeout=one.timeout,
    )


def _heartbeats(fleet: FleetSpec) -> Heartbeats:
    heartbeat = fleet.heartbeat
    stale = 3 * heartbeat.interval if heartbeat.stale_after is None else heartbeat.stale_after
    return Heartbeats(interval=heartbeat.interval, stale_after=stale, idle_after=heartbeat.idle_after)
