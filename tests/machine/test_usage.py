"""What agents use: the account of the scope where there is one, the sum over the processes where there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.base import ObserveError
from providers.host import ResourceUsage
from providers.processes import procfs, usage

SLICE = "/user.slice/user-1.slice/user@1.service/mosaic.slice/mosaic-panes.slice"
Machine = Callable[[str, str], None]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine in a folder: what is not written there is not there."""

    def read(path: str, limit: int) -> bytes:
        inside = tmp_path / path.removeprefix(str(tmp_path)).lstrip("/")
        try:
            return inside.read_bytes()[:limit]
        except OSError as error:
            raise ObserveError(path) from error

    monkeypatch.setattr(procfs, "head", read)

    def write(path: str, text: str) -> None:
        file = tmp_path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    return write


def measure(tmp_path: Path, panes: dict[str, tuple[int, ...]]) -> dict[str, ResourceUsage]:
    return usage.measure(panes, tuple(f"{tmp_path}{mount}" for mount in usage.MOUNTS))


def stat(pid: int, *, ticks: int, pages: int) -> str:
    fields = ["S", "1", *["0"] * 9, str(ticks), "0", "0", "0", *["0"] * 6, str(pages), "0"]
    return f"{pid} (a) b) {' '.join(fields)}\n"


def scope(machine: Machine, mount: str, name: str, *, cpu: int | None = None, memory: int | None = None) -> None:
    machine(f"{mount}{SLICE}/{name}/cgroup.procs", "")
    if cpu is not None:
        machine(f"{mount}{SLICE}/{name}/cpu.stat", f"usage_usec {cpu}\nuser_usec 1\n")
    if memory is not None:
        machine(f"{mount}{SLICE}/{name}/memory.current", f"{memory}\n")


def test_the_account_of_the_scope(tmp_path: Path, machine: Machine) -> None:
    machine("/proc/7/cgroup", f"0::{SLICE}/mosaic-pane-coder:a1.scope\n")
    machine("/proc/9/cgroup", "0::/user.slice/session-1.scope\n")
    machine("/proc/9/stat", stat(9, ticks=usage._TICKS * 2, pages=3))
    scope(machine, "/sys/fs/cgroup", "mosaic-pane-coder:a1.scope", cpu=1_500_000, memory=4096)
    found = measure(tmp_path, {"somebody": (9,), "coder": (7, 8)})
    assert found["coder"] == ResourceUsage(cpu_s=1.5, cpu_source="cgroup", memory=4096, memory_source="cgroup")
    assert found["somebody"] == ResourceUsage(cpu_s=2.0, memory=3 * usage._PAGE)


def test_a_hybrid_hierarchy_has_no_account_of_memory(tmp_path: Path, machine: Machine) -> None:
    machine("/proc/7/cgroup", f"1:name=systemd:/elsewhere\n0::{SLICE}/mosaic-pane-coder:a1.scope\n")
    machine("/proc/7/stat", stat(7, ticks=0, pages=10))
    machine("/proc/8/stat", stat(8, ticks=0, pages=5))
    scope(machine, "/sys/fs/cgroup/unified", "mosaic-pane-coder:a1.scope", cpu=250_000)
    found = measure(tmp_path, {"coder": (7, 8, 99)})
    assert found["coder"] == ResourceUsage(
        cpu_s=0.25, cpu_source="cgroup", memory=15 * usage._PAGE, memory_source="proc"
    )


def test_of_two_scopes_it_is_the_one_that_the_pane_lives_in(tmp_path: Path, machine: Machine) -> None:
    machine("/proc/7/cgroup", f"0::{SLICE}/mosaic-pane-coder:b2.scope\n")
    scope(machine, "/sys/fs/cgroup", "mosaic-pane-coder:a1.scope", cpu=9_000_000, memory=9)
    scope(machine, "/sys/fs/cgroup", "mosaic-pane-coder:b2.scope", cpu=1_000_000, memory=1)
    assert measure(tmp_path, {"coder": (7,)})["coder"].cpu_s == 1.0


def test_what_has_just_ended_uses_nothing_that_is_known(tmp_path: Path, machine: Machine) -> None:
    machine("/proc/8/stat", "8 (torn")
    assert measure(tmp_path, {"gone": (7, 8), "none": ()}) == {"gone": ResourceUsage(), "none": ResourceUsage()}


def test_this_very_process() -> None:
    found = usage.measure({"me": (os.getpid(),)})["me"]
    assert found.cpu_s is not None
    assert found.memory is not None
    assert found.memory > 2**20
