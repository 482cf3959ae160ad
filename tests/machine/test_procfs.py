"""The parser of /proc/PID/stat, and the scan where no private host is needed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.processes import procfs

REST = b"S 1 2 3 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 1 0 %d 1000 100 18446744073709551615 1 1 0 0 0\n"


@given(comm=st.binary(max_size=15).filter(lambda name: b"\0" not in name), pid=st.integers(1, 2**22))
def test_any_name_is_read(comm: bytes, pid: int) -> None:
    process = procfs.parse_stat(b"%d (%s) " % (pid, comm) + REST % 4711, 1000.0)
    assert process is not None
    assert (process.pid, process.ppid, process.state, process.start_ticks) == (pid, 1, "S", 4711)
    assert process.comm == comm.decode("utf-8", "replace")
    assert process.started == pytest.approx(1000.0 + 4711 / os.sysconf("SC_CLK_TCK"))


@given(st.binary(max_size=400))
def test_anything_else_is_none(line: bytes) -> None:
    procfs.parse_stat(line, 0.0)


@given(st.integers(0, 56))  # up to the start time, without the space that ends it
def test_a_torn_line_is_none(length: int) -> None:
    assert procfs.parse_stat((b"12 (a b) " + REST % 7)[:length], 0.0) is None


def test_this_process_and_its_child() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()", "an argument", ""], stdin=subprocess.PIPE) as child:
        seen = procfs.scan(os.getuid())
        assert seen[os.getpid()].ppid == os.getppid()
        assert seen[child.pid].ppid == os.getpid()
        assert procfs.cmdline(child.pid)[1:3] == ("-c", "input()")
        assert procfs.start_ticks(child.pid) == seen[child.pid].start_ticks
        child.kill()
    assert procfs.cmdline(child.pid) == ()
    assert procfs.start_ticks(child.pid) is None
    assert procfs.listens_at(child.pid) == frozenset()
    assert child.pid not in procfs.scan(os.getuid())


HYBRID = b"9:name=systemd:/left\n4:memory:/process_api/1\n0::/user.slice/user@0.service/mosaic-pane-a:1.scope\n"


@pytest.mark.parametrize(
    ("raw", "unified", "path"),
    [
        (HYBRID, True, "/user.slice/user@0.service/mosaic-pane-a:1.scope"),  # the line of version 1 stands first
        (b"1:name=systemd:/\n0::/tmux-spawn-1.scope\n", True, "/tmux-spawn-1.scope"),
        (b"0::/a/b.scope\n1:name=systemd:/\n", True, "/a/b.scope"),
        (b"1:name=systemd:/a/b.scope\n0::/\n", True, "/"),  # systemd uses the unified one, and this is not in a unit
        (b"1:name=systemd:/a/b.scope\n0::/\n", False, "/a/b.scope"),  # mounted by somebody else, not by systemd
        (b"5:cpu,cpuacct:/x\n1:name=systemd:/a/b.scope\n", True, "/a/b.scope"),
        (b"0::/a/with:colon.scope\n", True, "/a/with:colon.scope"),
        (b"", True, ""),
    ],
)
def test_the_unified_line_decides(raw: bytes, unified: bool, path: str) -> None:
    assert procfs.parse_control_group(raw, unified=unified) == path
