"""tmux and systemd as they should not be: nothing is ended on a guess, the run says what it could not see (69), and
when they are back it goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from providers.systemd.client import LEAST_S
from tests.scenarios.fleet import SOCKET, Fleet, Run, stub

NAMES = ("a", "b", "c", "d")


def begin(fleet: Fleet) -> dict[str, int]:
    """A fleet that has converged, and a commit that would end, change and start agents if all could be seen."""
    fleet.declare(*NAMES)
    fleet.converge()
    before = fleet.up(*NAMES)
    del fleet.agents["a"]
    fleet.agents["b"]["state"] = "stopped"
    fleet.agents["c"]["generation"] = 1
    fleet.commit()
    return before


def nothing_ended(run: Run) -> None:
    """What could be seen may be mended; nothing is stopped, disabled, restarted or removed."""
    assert run.code == 69, run.out + run.err
    assert run.disruptive == []
    assert run.unknown, "it says what could not be seen"
    assert all(run.unknown.values()), run.unknown


def goes_on(fleet: Fleet, before: dict[str, int]) -> None:
    fleet.converge()
    after = fleet.up("c", "d")
    assert after["d"] == before["d"]
    assert after["c"] != before["c"]


# A program named tmux that stands before the real one on the run's own PATH.
FALSE_TMUX = {
    "dead": ("exit 1", "failed with status 1"),
    "noisy": ("echo 'lost the plot' >&2; exit 1", "lost the plot"),
    "silent": ("exit 0", "unexpected"),
    "garbage": ("head -c 5000 /dev/urandom", "unexpected"),
    "half": ("printf '@mosaic-first\\n@p:12:0'", "unexpected"),
    "cut": ("tmux() { /usr/bin/tmux \"$@\"; }; tmux \"$@\" | head -n 2", "unexpected"),
    "other": ("echo '@mosaic-first'; echo 'a b c'; echo '@mosaic-last'", "not a pane"),
    "killed": ("kill -KILL $$", "failed"),
    "endless": ("while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done", ""),
    "hung": ("exec sleep 1000", "did not end within"),
}  # fmt: skip


@pytest.mark.parametrize(("script", "said"), FALSE_TMUX.values(), ids=FALSE_TMUX)
def test_a_broken_tmux_ends_nobody(fleet: Fleet, script: str, said: str) -> None:
    before = begin(fleet)
    fleet.write("/tmp/false/tmux", f"#!/bin/sh\n{script}\n", 0o755)
    run = fleet.reconcile(env={"PATH": f"/tmp/false:{fleet.host.env['PATH']}"})
    nothing_ended(run)
    assert said in run.unknown["tmux"]
    assert fleet.pids() == before
    assert fleet.condition("Observed")["status"] == "False"
    assert fleet.condition("Ready")["status"] == "Unknown"
    goes_on(fleet, before)


def test_a_slow_tmux_is_waited_for(fleet: Fleet) -> None:
    before = begin(fleet)
    fleet.write("/tmp/false/tmux", '#!/bin/sh\nsleep 1\nexec /usr/bin/tmux "$@"\n', 0o755)
    run = fleet.reconcile(env={"PATH": f"/tmp/false:{fleet.host.env['PATH']}"})
    assert run.code == 0, run.out
    assert fleet.up("c", "d")["d"] == before["d"]


def test_without_tmux_on_path(fleet: Fleet) -> None:
    before = begin(fleet)
    fleet.sh("mkdir /tmp/bin; ln -s /usr/bin/git /usr/bin/sh /tmp/bin/")
    run = fleet.reconcile(env={"PATH": "/tmp/bin"})
    nothing_ended(run)
    assert "apt install tmux" in run.unknown["tmux"]
    goes_on(fleet, before)


def test_a_hung_tmux_server_ends_nobody(fleet: Fleet) -> None:
    before = begin(fleet)
    server = int(fleet.tmux("display-message", "-p", "#{pid}"))
    fleet.kill(server, signal="STOP")
    run = fleet.reconcile()
    nothing_ended(run)
    assert fleet.pids() == before
    fleet.kill(server, signal="CONT")
    goes_on(fleet, before)


def stop_manager(fleet: Fleet) -> Callable[[], None]:
    fleet.kill(fleet.host.manager_pid, signal="STOP")
    return lambda: fleet.kill(fleet.host.manager_pid, signal="CONT")


@pytest.mark.parametrize("preview", [True, False])
def test_a_manager_that_gives_no_answer_is_waited_for_once(fleet: Fleet, preview: bool) -> None:
    """What it is asked after that has a moment each, so that the run ends by its own time."""
    before = begin(fleet)
    back = stop_manager(fleet)
    run = fleet.reconcile("--timeout", "8s", *(["--dry-run"] if preview else []))
    back()
    assert run.disruptive == []
    assert run.code == 69 or preview, run.out + run.err
    assert f"within {LEAST_S:g} s" in run.unknown["systemd"]
    if not preview:
        assert fleet.status()["last_run"]["duration_s"] < 3 * (8.0 + LEAST_S)
    goes_on(fleet, before)


def stop_bus(fleet: Fleet) -> Callable[[], None]:
    (bus,) = fleet.named("dbus-daemon")
    fleet.kill(bus, signal="STOP")
    return lambda: fleet.kill(bus, signal="CONT")


def kill_manager(fleet: Fleet) -> Callable[[], None]:
    fleet.host.kill_manager()
    return fleet.restart_manager


def hide_sockets(fleet: Fleet) -> Callable[[], None]:
    runtime = fleet.host.runtime_dir
    fleet.sh(f"mv {runtime}/bus {runtime}/bus.away; mv {runtime}/systemd {runtime}/systemd.away")

    def back() -> None:
        fleet.sh(f"mv {runtime}/bus.away {runtime}/bus; mv {runtime}/systemd.away {runtime}/systemd")

    return back


def garbage_bus(fleet: Fleet) -> Callable[[], None]:
    """Something else listens where the bus was, and answers nonsense."""
    runtime = fleet.host.runtime_dir
    fleet.sh(f"mv {runtime}/bus {runtime}/bus.away; mv {runtime}/systemd {runtime}/systemd.away")
    code = (
        "import socket, sys\n"
        "server = socket.socket(socket.AF_UNIX); server.bind(sys.argv[1]); server.listen(50); print(flush=True)\n"
        "while True:\n"
        "    one, _ = server.accept(); one.sendall(b'HTTP/1.1 400 Bad Request\\r\\n\\r\\n' * 40); one.close()\n"
    )
    liar = fleet.start(["/usr/bin/python3", "-c", code, f"{runtime}/bus"])
    assert liar.stdout is not None
    liar.stdout.readline()

    def back() -> None:
        liar_pid = next(pid for pid in fleet.named("python3") if "HTTP" in fleet.read(f"/proc/{pid}/cmdline"))
        fleet.kill(liar_pid)
        fleet.sh(f"mv -f {runtime}/bus.away {runtime}/bus; mv {runtime}/systemd.away {runtime}/systemd")

    return back


BROKEN = {
    "manager-stopped": stop_manager,
    "manager-killed": kill_manager,
    "no-sockets": hide_sockets,
    "garbage": garbage_bus,
}


@pytest.mark.parametrize("breaks", BROKEN.values(), ids=BROKEN)
def test_a_systemd_that_is_away_ends_nobody(fleet: Fleet, breaks: Callable[[Fleet], Callable[[], None]]) -> None:
    before = begin(fleet)
    back = breaks(fleet)
    run = fleet.reconcile()
    nothing_ended(run)
    assert "systemd" in run.unknown
    assert fleet.pids() == before
    back()
    goes_on(fleet, before)


def test_a_bus_that_hangs_is_passed_over(fleet: Fleet) -> None:
    """systemd itself is well and has a socket of its own; if not, nobody is ended."""
    before = begin(fleet)
    back = stop_bus(fleet)
    run = fleet.reconcile()
    if run.code:
        nothing_ended(run)
        assert fleet.pids() == before
    back()
    goes_on(fleet, before)


def test_a_bus_that_is_gone_is_passed_over(fleet: Fleet) -> None:
    before = begin(fleet)
    runtime = fleet.host.runtime_dir
    fleet.sh(f"mv {runtime}/bus {runtime}/bus.away")
    run = fleet.reconcile()
    assert run.code == 0, run.out + run.err
    fleet.sh(f"mv {runtime}/bus.away {runtime}/bus")
    assert fleet.up("c", "d")["d"] == before["d"]


def test_what_cannot_be_read_is_not_taken_for_gone(fleet: Fleet) -> None:
    """A folder where files should be: each kind of it is unknown or a conflict, and no agent pays for it."""
    before = begin(fleet)
    fleet.sh("mv .config/mosaic/fleet/agents agents; touch .config/mosaic/fleet/agents")
    run = fleet.reconcile()
    assert run.code != 0
    after = fleet.pids()
    assert (after["c"], after["d"]) == (before["c"], before["d"])
    fleet.sh("rm .config/mosaic/fleet/agents; mv agents .config/mosaic/fleet/")
    goes_on(fleet, before)


def test_a_systemctl_that_lies_is_nobodys_business(fleet: Fleet) -> None:
    """Programs are asked only where there is no other way: systemd is not asked through systemctl."""
    before = begin(fleet)
    for program in ("systemctl", "loginctl", "ps", "pgrep", "busctl"):
        fleet.write(f"/tmp/false/{program}", "#!/bin/sh\necho garbage; exit 0\n", 0o755)
    run = fleet.reconcile(env={"PATH": f"/tmp/false:{fleet.host.env['PATH']}"})
    assert run.code == 0, run.out + run.err
    assert fleet.up("c", "d")["d"] == before["d"]


def test_an_agent_of_another_server_suffers_from_its_own_only(fleet: Fleet) -> None:
    """One of two tmux servers hangs: what is on the other is healed all the same, and nobody is ended."""
    fleet.agents = {"a": stub(), "b": stub(socket="other")}
    fleet.commit()
    fleet.converge()
    before = fleet.up("a", "b")
    server = int(fleet.tmux("display-message", "-p", "#{pid}", socket="other"))
    fleet.kill(server, signal="STOP")
    run = fleet.reconcile()
    nothing_ended(run)
    assert run.held("b")["reason"] == "unknown"
    fleet.kill(before["a"])
    run = fleet.reconcile()
    assert run.code == 69
    assert run.verbs("a") == ["restart"]
    assert [one["agent"] for one in run.document["held"]] == ["b"]
    healed = fleet.restarted("a", before)
    assert healed["b"] == before["b"]
    fleet.kill(server, signal="CONT")
    fleet.converge()
    assert fleet.up("a", "b") == healed
    assert fleet.sessions(SOCKET) == ["_holder", "a"]
