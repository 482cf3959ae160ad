"""The units that start the reconciler, with a stand-in for it: when they run it, and what a failure leads to."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from providers.kinds.framework import FrameworkProvider, Install
from specs.compiled import Policy
from tests.hosts.waiting import eventually
from tests.launch.bench import Bench, make_fleet
from tests.materials import file_of

# Notes that it ran and why; then ends as it is told, or stays like the resident one.
STAND_IN = """
import os, pathlib, socket, sys, time
with open("/run/runs", "a") as runs:
    print(os.environ["MOSAIC_TRIGGER"], *sys.argv[1:], os.environ.get("TMUX", "-"), file=runs)
if "--watch" in sys.argv:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.connect(os.environ["NOTIFY_SOCKET"])
        notify.send(b"READY=1")
    while True:
        time.sleep(60)
sys.exit(int(pathlib.Path("/run/status").read_text()))
"""
HOOK = """
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo hooked >>/run/hooked'
[Install]
WantedBy=mosaic-reconcile-failed.target
"""


def install(bench: Bench, how: Install, *, interval: float = 60.0, status: int = 0) -> None:
    bench.host.run(["rm", "-f", "/run/runs", "/run/hooked"])
    bench.write("/run/stand in.py", STAND_IN)
    bench.write("/run/status", str(status))
    fleet = replace(make_fleet(), policy=Policy(interval=interval))
    provider = FrameworkProvider(how, (sys.executable, "/run/stand in.py", "50%", "$HOME"))
    for resource in provider.desired(fleet, bench.facts):
        file = file_of(resource)
        bench.write(file.path, file.content, file.mode)
    bench.host.systemctl("daemon-reload")


def lines(bench: Bench, name: str) -> list[str]:
    path = bench.host.path_outside(name)
    return path.read_text().splitlines() if path.exists() else []


def state(bench: Bench, unit: str, name: str) -> str:
    return bench.host.systemctl("show", unit, "-p", name, "--value").stdout.strip()


@pytest.mark.parametrize(
    ("how", "unit"), [("timer", "mosaic-reconcile.timer"), ("watch", "mosaic-reconcile-watch.service")]
)
def test_systemd_finds_no_fault_with_them(bench: Bench, how: Install, unit: str) -> None:
    install(bench, how)
    checked = bench.host.run(["systemd-analyze", "--user", "verify", "--man=no", f"{bench.facts.unit_dir}/{unit}"])
    assert checked.stderr == ""


def test_the_timer_runs_it_again_and_again(bench: Bench) -> None:
    install(bench, "timer", interval=0.3)
    bench.host.systemctl("enable", "--now", "mosaic-reconcile.timer")
    bench.host.systemctl(
        "start", "mosaic-reconcile.service"
    )  # in a container the first one is due 30 s after its start
    eventually(lambda: len(lines(bench, "/run/runs")) >= 3, what="three runs")
    assert set(lines(bench, "/run/runs")) == {"timer 50% $HOME -"}


@pytest.mark.parametrize(("status", "failed"), [(0, False), (75, False), (1, True), (70, True)])
def test_every_failure_reaches_the_hook(bench: Bench, status: int, failed: bool) -> None:
    install(bench, "timer", status=status)
    bench.write(f"{bench.facts.unit_dir}/mosaic-test-hook.service", HOOK)
    bench.host.systemctl("daemon-reload")
    bench.host.systemctl("enable", "mosaic-test-hook.service")
    for count in (1, 2):

        def hooked(count: int = count) -> bool:
            return len(lines(bench, "/run/hooked")) == count

        done = bench.host.systemctl("start", "mosaic-reconcile.service", check=False)
        assert (done.returncode != 0) is failed
        if failed:
            eventually(hooked, what="the hook")
            eventually(lambda: state(bench, "mosaic-reconcile-failed.target", "ActiveState") == "inactive")
    assert bool(lines(bench, "/run/hooked")) is failed


def test_the_resident_one_is_kept_running(bench: Bench) -> None:
    install(bench, "watch")
    unit = "mosaic-reconcile-watch.service"
    bench.host.systemctl("start", unit)
    first = state(bench, unit, "MainPID")
    assert lines(bench, "/run/runs") == ["watch 50% $HOME --watch -"]
    assert state(bench, unit, "WatchdogUSec") == "3min"
    bench.kill(int(first))
    eventually(lambda: state(bench, unit, "MainPID") not in ("0", first), what="another process")
    bench.host.systemctl("stop", unit)
