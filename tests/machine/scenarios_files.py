"""Files, processes and the odds and ends of a host, where a real root of a machine is needed to try them."""

from __future__ import annotations

import os
import subprocess

import pytest

from providers.base import ObserveError
from providers.machine.local_host import LocalHost
from providers.steps import SetLinger, WriteFile
from providers.systemd.bus_address import LINGER_DIR
from tests.machine.inside import carry_out, command


def check_a_full_disk_says_which_path(host: LocalHost) -> None:
    os.makedirs("/tmp/small")
    command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/tmp/small")
    try:
        fits = carry_out(host, [("fits", WriteFile(path="/tmp/small/a", content="old\n", mode=0o600))])["fits"]
        assert fits.ok
        results = carry_out(
            host,
            [
                ("big", WriteFile(path="/tmp/small/a", content="x" * 200_000, mode=0o600)),
                ("elsewhere", WriteFile(path="/tmp/small-2", content="x", mode=0o600)),
            ],
        )
        assert results["big"].error == "/tmp/small/a cannot be written: No space left on device"
        assert results["elsewhere"].ok
        assert os.listdir("/tmp/small") == ["a"], "nothing is left behind"
        with open("/tmp/small/a") as file:
            assert file.read() == "old\n"
        command("mount", "-o", "remount,ro", "/tmp/small")
        refused = carry_out(host, [("ro", WriteFile(path="/tmp/small/b", content="x", mode=0o600))])["ro"]
        assert refused.error == "/tmp/small/b cannot be written: Read-only file system"
    finally:
        command("umount", "/tmp/small")


def check_processes_are_ps(host: LocalHost) -> None:
    name = "/tmp/a (b) c)"
    with open("/bin/sleep", "rb") as source, open(name, "wb") as copy:
        copy.write(source.read())
    os.chmod(name, 0o700)
    with subprocess.Popen([name, "1000"]) as child:
        look = host.look()
        seen = look.processes()
        assert seen[child.pid].comm == "a (b) c)"
        assert look.cmdline(child.pid) == (name, "1000")
        assert seen[child.pid].ppid == os.getpid()
        assert abs(seen[child.pid].started - look.now()) < 60
        child.kill()
        child.wait()
        assert host.look().cmdline(child.pid) == ()
        rows = command("ps", "-U", str(os.getuid()), "-o", "pid=,ppid=,state=,comm=").splitlines()
        theirs = {int(row.split(None, 3)[0]): (int(row.split(None, 3)[1]), row.split(None, 3)[3]) for row in rows}
        both = set(theirs) & set(seen)
        assert len(both) >= len(seen) - 1, "all but the child that ended"
        assert {pid: (seen[pid].ppid, seen[pid].comm) for pid in both} == {pid: theirs[pid] for pid in both}


def check_undumpable_processes_are_seen(host: LocalHost) -> None:
    code = "import ctypes; ctypes.CDLL(None).prctl(4, 0); print(flush=True); import time; time.sleep(1000)"
    with subprocess.Popen(["setpriv", "--reuid=12345", "python3", "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert os.stat(f"/proc/{child.pid}/stat").st_uid == 0
        from providers.processes import procfs

        try:
            assert child.pid not in host.look().processes()
            assert child.pid in procfs.scan(12345)
        finally:
            child.kill()


def check_linger(host: LocalHost) -> None:
    folder = LINGER_DIR
    os.makedirs(folder, exist_ok=True)
    assert not host.look().linger()
    refused = carry_out(host, [("on", SetLinger(user=host.facts.user))])["on"]
    assert not refused.ok, "there is no logind in here"
    assert f"sudo loginctl enable-linger {host.facts.user}" in str(refused.error)
    with open(f"{folder}/{host.facts.user}", "w"):
        pass
    assert host.look().linger()
    again = carry_out(host, [("on", SetLinger(user=host.facts.user))])["on"]
    assert (again.ok, again.changed) == (True, False)
    os.unlink(f"{folder}/{host.facts.user}")


def check_boot_id(host: LocalHost) -> None:
    with open("/proc/sys/kernel/random/boot_id") as file:
        assert host.look().boot_id() == file.read().strip()


def check_unreadable_folders_are_errors(host: LocalHost) -> None:
    loop = "/tmp/loop"
    os.symlink(loop, loop)
    look = host.look()
    for read in (lambda: look.file(f"{loop}/x"), lambda: look.listing(f"{loop}/x")):
        for _ in range(2):  # remembered, like any fact
            with pytest.raises(ObserveError, match=loop):
                read()
