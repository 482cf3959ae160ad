"""What is done to agents: their units, sessions and files."""

from __future__ import annotations

from providers.steps import DaemonReload, DeleteFile, UnitJob, WriteFile
from tests.laws.scenario_bench import (
    CODER,
    DOTTED,
    PREFIX,
    Bench,
    capture,
    enable,
    fleet_on,
    kill,
    reload,
    restart,
    start,
    stop,
    up,
)
from tests.strategies import SOCKET
from tests.world_model import AGENT_TEMPLATE, BROKEN, HOLDER_UNIT


def nothing(bench: Bench) -> None:
    bench.install(fleet_on(bench.facts))
    bench.show("files only")
    bench.steps(DaemonReload())


def start_brings_the_holder(bench: Bench) -> None:
    bench.install(fleet_on(bench.facts))
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
    bench.steps(capture(bench, "coder"), start(CODER))
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
    bench.steps(kill(bench, "coder"))


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
    bench.steps(kill(bench, "coder"), stop(CODER))


def reset_failed(bench: Bench) -> None:
    foreign_session_in_the_way(bench)
    bench.steps(UnitJob(verb="reset-failed", unit=CODER))


def a_prefix_is_not_a_target(bench: Bench) -> None:
    up(bench, PREFIX)
    bench.steps(kill(bench, "coder"), stop(CODER))


def kill_of_a_session_with_another_mark(bench: Bench) -> None:
    up(bench, CODER)
    bench.steps(kill(bench, "coder", "coder0"))


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
    bench.show("broken")
    bench.steps(stop(CODER))


def empty_unit_file(bench: Bench) -> None:
    up(bench, CODER)
    template = f"{bench.facts.unit_dir}/{AGENT_TEMPLATE}"
    bench.steps(WriteFile(path=template, content="", mode=0o644), DaemonReload(), start(PREFIX), reload(CODER))
    bench.show("masked")
    bench.steps(stop(CODER))


def restart_with_a_broken_unit_file(bench: Bench) -> None:
    up(bench, CODER)
    template = f"{bench.facts.unit_dir}/{AGENT_TEMPLATE}"
    bench.steps(WriteFile(path=template, content=f"{BROKEN}\n", mode=0o644), DaemonReload())
    bench.steps(start(CODER), reload(CODER), restart(CODER))
    bench.show("refused")
    bench.steps(DeleteFile(path=template), DaemonReload(), start(CODER), restart(CODER))


def edited_unit_file_without_a_reload(bench: Bench) -> None:
    """Systemd goes on with what it has read; a unit that it has not yet loaded is read anew."""
    up(bench, CODER)
    template = f"{bench.facts.unit_dir}/{AGENT_TEMPLATE}"
    bench.steps(WriteFile(path=template, content=f"{BROKEN}\n", mode=0o644), restart(CODER))
