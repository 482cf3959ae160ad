"""Scenarios: what is done to a host, and what it then looks like.

Written against a small protocol, so that the same list runs on the simulated host and on a real one. Each scenario
shows the host at named points; `expected` says what must be seen at the last one, and the test demands that both hosts
look alike at every one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from providers.host import HostFacts
from providers.steps import (
    CaptureDead,
    DaemonReload,
    DeleteFile,
    KillSession,
    RecreateSocket,
    SetEnabled,
    Step,
    StepResult,
    UnitJob,
    WriteFile,
)
from specs.compiled import Fleet
from tests.strategies import HOLDER_SESSION, SOCKET, make_agent, make_fleet
from tests.world_model import AGENT_TEMPLATE, BROKEN, HOLDER_UNIT


class Bench(Protocol):
    """A host under test. `disturb` does what the method of that name does in `World`."""

    facts: HostFacts

    def steps(self, *steps: Step) -> Sequence[StepResult]:
        """Carry out steps one after the other; their results."""
        ...

    def install(self, fleet: Fleet) -> None:
        """Write the framework files, the holder's settings and every agent's launch environment."""
        ...

    def disturb(self, event: str, *args: str) -> None: ...

    def show(self, point: str) -> None:
        """Take down what a look shows now, under this name."""
        ...


def agent_unit(name: str) -> str:
    return f"mosaic-agent@{name}.service"


def start(unit: str) -> UnitJob:
    return UnitJob(verb="start", unit=unit, timeout_s=20.0)


def stop(unit: str) -> UnitJob:
    return UnitJob(verb="stop", unit=unit, timeout_s=20.0)


def restart(unit: str) -> UnitJob:
    return UnitJob(verb="restart", unit=unit, timeout_s=20.0)


def reload(unit: str) -> UnitJob:
    return UnitJob(verb="reload", unit=unit, timeout_s=20.0)


def enable(unit: str, *, on: bool = True) -> SetEnabled:
    return SetEnabled(unit=unit, enabled=on)


CODER, PREFIX, DOTTED = agent_unit("coder"), agent_unit("coder0"), agent_unit("a.b")
FLEET = make_fleet(make_agent("coder"), make_agent("coder0"), make_agent("a.b"))


def up(bench: Bench, *units: str) -> None:
    """The fleet installed, the holder up, and these agents enabled and started."""
    bench.install(FLEET)
    bench.steps(DaemonReload(), enable(HOLDER_UNIT), start(HOLDER_UNIT))
    for unit in units:
        bench.steps(enable(unit), start(unit))
    bench.show("up")


def nothing(bench: Bench) -> None:
    bench.install(FLEET)
    bench.show("files only")
    bench.steps(DaemonReload())


def start_brings_the_holder(bench: Bench) -> None:
    bench.install(FLEET)
    bench.steps(DaemonReload(), start(CODER))


def three_agents(bench: Bench) -> None:
    up(bench, CODER, PREFIX, DOTTED)


def start_twice(bench: Bench) -> None:
    up(bench, CODER)
    bench.steps(start(CODER), start(HOLDER_UNIT), enable(CODER))


def stop_one(bench: Bench) -> None:
    up(bench, CODER, PREFIX)
    bench.steps(enable(CODER, on=False), stop(CODER))


def restart_one(bench: Bench) -> None:
    up(bench, CODER, PREFIX)
    bench.steps(restart(CODER))


def dead_pane(bench: Bench) -> None:
    up(bench, CODER, PREFIX)
    bench.disturb("kill_pane", "coder")
    bench.show("dead")
    bench.steps(CaptureDead(socket=SOCKET, session="coder", agent="coder"), start(CODER))
    bench.show("start of an active unit does nothing")
    bench.steps(restart(CODER))


def failed_unit_replaces_its_dead_pane(bench: Bench) -> None:
    up(bench, CODER)
    bench.disturb("unit_inactive", CODER)
    bench.disturb("kill_pane", "coder")
    bench.show("inactive over a dead pane")
    bench.steps(start(CODER))


def inactive_unit_keeps_its_living_pane(bench: Bench) -> None:
    up(bench, CODER)
    bench.disturb("unit_inactive", CODER)
    bench.steps(start(CODER))


def stop_of_an_inactive_unit_ends_nothing(bench: Bench) -> None:
    up(bench, CODER)
    bench.disturb("unit_inactive", CODER)
    bench.steps(stop(CODER))
    bench.show("still there")
    bench.steps(KillSession(socket=SOCKET, session="coder", agent="coder"))


def missing_session(bench: Bench) -> None:
    up(bench, CODER, PREFIX)
    bench.disturb("kill_session", "coder")
    bench.show("no session")
    bench.steps(restart(CODER))


def foreign_session_in_the_way(bench: Bench) -> None:
    up(bench, PREFIX)
    bench.disturb("foreign_session", SOCKET, "coder")
    bench.steps(start(CODER))
    bench.show("refused")
    bench.steps(KillSession(socket=SOCKET, session="coder", agent="coder"), stop(CODER))


def reset_failed(bench: Bench) -> None:
    foreign_session_in_the_way(bench)
    bench.steps(UnitJob(verb="reset-failed", unit=CODER))


def a_prefix_is_not_a_target(bench: Bench) -> None:
    up(bench, PREFIX)
    bench.steps(KillSession(socket=SOCKET, session="coder", agent="coder"), stop(CODER))


def kill_of_a_session_with_another_mark(bench: Bench) -> None:
    up(bench, CODER)
    bench.steps(KillSession(socket=SOCKET, session="coder", agent="coder0"))


def no_launch_environment(bench: Bench) -> None:
    up(bench, PREFIX)
    bench.steps(DeleteFile(path=f"{bench.facts.agents_dir}/coder.env"), start(CODER))


def no_launch_environment_on_stop(bench: Bench) -> None:
    up(bench, CODER)
    bench.steps(DeleteFile(path=f"{bench.facts.agents_dir}/coder.env"), stop(CODER))


def no_template(bench: Bench) -> None:
    up(bench, CODER)
    template = f"{bench.facts.unit_dir}/{AGENT_TEMPLATE}"
    bench.steps(DeleteFile(path=template), DaemonReload())
    bench.show("reloaded without its template")
    bench.steps(start(PREFIX), stop(CODER), enable(PREFIX))


def broken_launch_program(bench: Bench) -> None:
    up(bench, PREFIX)
    program = f"{bench.facts.bin_dir}/agent-start"
    bench.steps(DeleteFile(path=program), start(CODER))


def broken_stop_program(bench: Bench) -> None:
    up(bench, CODER)
    bench.steps(DeleteFile(path=f"{bench.facts.bin_dir}/agent-stop"), stop(CODER))


def broken_unit_file(bench: Bench) -> None:
    up(bench, CODER)
    template = f"{bench.facts.unit_dir}/{AGENT_TEMPLATE}"
    bench.steps(WriteFile(path=template, content=f"{BROKEN}\n", mode=0o644), DaemonReload(), start(PREFIX))


def server_killed(bench: Bench) -> None:
    up(bench, CODER, PREFIX)
    bench.disturb("kill_server", SOCKET)
    bench.show("no server")
    bench.steps(restart(CODER))
    bench.show("no agent without the holder's server")
    bench.steps(restart(HOLDER_UNIT), restart(CODER), restart(PREFIX))


def holder_restarted(bench: Bench) -> None:
    up(bench, CODER)
    bench.steps(restart(HOLDER_UNIT))


def holder_stopped(bench: Bench) -> None:
    up(bench, CODER)
    bench.steps(stop(HOLDER_UNIT))


def holder_session_killed(bench: Bench) -> None:
    up(bench, CODER)
    bench.disturb("kill_session_named", SOCKET, HOLDER_SESSION)
    bench.show("without a holder session")
    bench.steps(reload(HOLDER_UNIT), reload(HOLDER_UNIT))


def holder_pane_killed(bench: Bench) -> None:
    up(bench, CODER)
    bench.disturb("kill_holder_pane", SOCKET)
    bench.show("a dead holder")
    bench.steps(reload(HOLDER_UNIT))


def server_mended_by_a_reload(bench: Bench) -> None:
    up(bench, CODER)
    bench.disturb("kill_server", SOCKET)
    bench.steps(reload(HOLDER_UNIT), reload(CODER))


def reload_of_what_is_not_active(bench: Bench) -> None:
    bench.install(FLEET)
    bench.steps(DaemonReload(), reload(HOLDER_UNIT), reload(CODER))


def dead_pane_mended_by_a_reload(bench: Bench) -> None:
    up(bench, CODER, PREFIX)
    bench.disturb("kill_pane", "coder")
    bench.steps(reload(CODER), reload(PREFIX))


def socket_lost(bench: Bench) -> None:
    up(bench, CODER)
    bench.disturb("lose_socket", SOCKET)
    bench.show("lost")
    bench.steps(start(PREFIX))
    bench.show("no agent on a lost server")
    bench.disturb("recreate_socket", SOCKET)


def server_of_an_operator(bench: Bench) -> None:
    bench.install(FLEET)
    bench.disturb("foreign_session", SOCKET, "operator")
    bench.steps(DaemonReload(), start(HOLDER_UNIT), start(CODER))


def leftover_child(bench: Bench) -> None:
    up(bench, CODER)
    bench.disturb("leave_child", "coder")
    bench.disturb("kill_pane", "coder")
    bench.show("a scope without a pane's process")
    bench.steps(restart(CODER))
    bench.show("restarted")
    bench.disturb("leave_child", "coder")
    bench.steps(stop(CODER))


def files(bench: Bench) -> None:
    path = f"{bench.facts.agents_dir}/coder.env"
    bench.steps(WriteFile(path=path, content="one\n", mode=0o644), WriteFile(path=path, content="two\n", mode=0o600))
    bench.show("written")
    bench.steps(DeleteFile(path=path), DeleteFile(path=path))


def refused_signal(bench: Bench) -> None:
    up(bench)
    bench.steps(RecreateSocket(pid=1, start_ticks=1))


@dataclass(frozen=True)
class Scenario:
    """`expected` is compared with the part of the last picture that it names."""

    act: Callable[[Bench], None]
    expected: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.act.__name__


def panes(**sessions: str) -> dict[str, Any]:
    """Sessions as the fleet's server should show them: "alive", "dead", or "foreign"."""
    return {name.replace("__", "_"): state for name, state in sessions.items()}


HOLDER = {"_holder": "holder"}
SCENARIOS = (
    Scenario(nothing, {"units": {}, "enabled": [], "server": "down", "panes": {}}),
    Scenario(start_brings_the_holder, {"units": {HOLDER_UNIT: "active", CODER: "active"}, "enabled": []}),
    Scenario(three_agents, {"panes": {**HOLDER, **panes(coder="alive", coder0="alive", a__b="alive")}}),
    Scenario(start_twice, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(stop_one, {"panes": {**HOLDER, **panes(coder0="alive")}, "enabled": [PREFIX, HOLDER_UNIT]}),
    Scenario(restart_one, {"panes": {**HOLDER, **panes(coder="alive", coder0="alive")}}),
    Scenario(dead_pane, {"panes": {**HOLDER, **panes(coder="alive", coder0="alive")}}),
    Scenario(failed_unit_replaces_its_dead_pane, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(inactive_unit_keeps_its_living_pane, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(stop_of_an_inactive_unit_ends_nothing, {"panes": HOLDER, "units": {HOLDER_UNIT: "active"}}),
    Scenario(missing_session, {"panes": {**HOLDER, **panes(coder="alive", coder0="alive")}}),
    Scenario(foreign_session_in_the_way, {"panes": {**HOLDER, **panes(coder="foreign", coder0="alive")}}),
    Scenario(reset_failed, {"units": {HOLDER_UNIT: "active", PREFIX: "active"}}),
    Scenario(a_prefix_is_not_a_target, {"panes": {**HOLDER, **panes(coder0="alive")}}),
    Scenario(kill_of_a_session_with_another_mark, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(no_launch_environment, {"units": {HOLDER_UNIT: "active", PREFIX: "active", CODER: "failed"}}),
    Scenario(no_launch_environment_on_stop, {"panes": HOLDER, "units": {HOLDER_UNIT: "active"}}),
    Scenario(no_template, {"panes": {**HOLDER, **panes(coder="alive")}, "units": {HOLDER_UNIT: "active"}}),
    Scenario(broken_launch_program, {"units": {HOLDER_UNIT: "active", PREFIX: "active", CODER: "failed"}}),
    Scenario(broken_stop_program, {"units": {HOLDER_UNIT: "active", CODER: "failed"}}),
    Scenario(broken_unit_file, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(server_killed, {"panes": {**HOLDER, **panes(coder="alive", coder0="alive")}}),
    Scenario(holder_restarted, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(holder_stopped, {"panes": panes(coder="alive"), "units": {CODER: "active"}}),
    Scenario(holder_session_killed, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(holder_pane_killed, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(server_mended_by_a_reload, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(reload_of_what_is_not_active, {"server": "down", "units": {}}),
    Scenario(dead_pane_mended_by_a_reload, {"panes": {**HOLDER, **panes(coder="alive", coder0="alive")}}),
    Scenario(socket_lost, {"server": "up", "panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(server_of_an_operator, {"panes": {**HOLDER, **panes(coder="alive", operator="foreign")}}),
    Scenario(leftover_child, {"panes": HOLDER, "scopes": {}}),
    Scenario(files, {"files": {}}),
    Scenario(refused_signal, {"server": "up"}),
)
