"""What is done to the holder and to tmux servers, and a few steps by themselves."""

from __future__ import annotations

from providers.steps import DaemonReload, DeleteFile, RecreateSocket, WriteFile
from tests.laws.scenario_bench import CODER, PREFIX, Bench, fleet_on, kill, reload, restart, start, stop, up
from tests.strategies import HOLDER_SESSION, SOCKET
from tests.world_model import HOLDER_UNIT


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
    bench.install(fleet_on(bench.facts))
    bench.steps(DaemonReload(), reload(HOLDER_UNIT), reload(CODER))


def dead_pane_mended_by_a_reload(bench: Bench) -> None:
    up(bench, CODER, PREFIX)
    bench.disturb("kill_pane", "coder")
    bench.steps(reload(CODER), reload(PREFIX))


def socket_lost(bench: Bench) -> None:
    up(bench, CODER)
    end = kill(bench, "coder")
    bench.disturb("lose_socket", SOCKET)
    bench.show("lost")
    bench.steps(start(PREFIX))
    bench.steps(end)
    bench.show("no agent on a lost server")
    bench.disturb("recreate_socket", SOCKET)


def server_of_an_operator(bench: Bench) -> None:
    bench.install(fleet_on(bench.facts))
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


def outside_its_scope(bench: Bench) -> None:
    up(bench, CODER, PREFIX)
    bench.disturb("outside", "coder")
    bench.show("outside")
    bench.confine("coder")
    bench.show("in its scope")
    bench.confine("coder")  # only its limits, this time
    bench.disturb("outside", "coder")
    bench.steps(stop(CODER))


def files(bench: Bench) -> None:
    path = f"{bench.facts.agents_dir}/coder.env"
    bench.steps(WriteFile(path=path, content="one\n", mode=0o644), WriteFile(path=path, content="two\n", mode=0o600))
    bench.show("written")
    bench.steps(DeleteFile(path=path), DeleteFile(path=path))


def refused_signal(bench: Bench) -> None:
    up(bench)
    bench.steps(RecreateSocket(pid=1, start_ticks=1))
