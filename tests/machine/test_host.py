"""What needs no systemd: steps that are refused, files, the kill switch, facts, and why there is no bus."""

from __future__ import annotations

import os
import pwd
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from providers.base import ObserveError
from providers.host import FileState, Host, Look
from providers.machine import facts
from providers.machine.local_host import LocalHost
from providers.steps import CaptureDead, DeleteFile, Step, StepResult, UnitJob, WriteFile
from providers.systemd import bus_address

ROOT_ONLY_ENV = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    home = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run"), **ROOT_ONLY_ENV}
    local = LocalHost(home)
    os.makedirs(local.facts.run_dir)
    return local


def _do(host: LocalHost, **steps: Step) -> dict[str, StepResult]:
    host.begin(list(steps.items()))
    results: dict[str, StepResult] = {}
    while len(results) < len(steps):
        results.update(host.completed(5.0))
    return results


def test_it_is_a_host(host: LocalHost) -> None:
    real: Host = host
    look: Look = real.look()
    assert look.now() > 0


def test_an_unknown_step_is_refused_before_anything_is_done(host: LocalHost, tmp_path: Path) -> None:
    class Stranger:
        command = "rm -rf /"

    stranger: Any = Stranger()
    with pytest.raises(TypeError, match="Stranger is not a step"):
        host.begin([("a", WriteFile(path=str(tmp_path / "a"), content="", mode=0o600)), ("b", stranger)])
    assert not (tmp_path / "a").exists()
    assert host.completed(0.0) == []


def test_an_id_is_used_once(host: LocalHost, tmp_path: Path) -> None:
    step = DeleteFile(path=str(tmp_path / "a"))
    with pytest.raises(ValueError, match="in use"):
        host.begin([("a", step), ("a", step)])
    host.begin([("a", step)])
    with pytest.raises(ValueError, match="in use"):
        host.begin([("a", step)])
    assert [name for name, _ in host.completed(1.0)] == ["a"]
    host.begin([("a", step)])


def test_files_are_written_whole(host: LocalHost, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    step = WriteFile(path=str(path), content="été\n", mode=0o600)
    first = _do(host, write=step)["write"]
    assert (first.ok, first.changed) == (True, True)
    assert path.read_text() == "été\n"
    assert [stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]
    before = path.stat()
    assert not _do(host, write=step)["write"].changed
    assert path.stat().st_ino == before.st_ino
    path.chmod(0o644)
    assert _do(host, write=step)["write"].changed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (path.parent / ".file.mosaic-new").write_text("left behind by a crash")
    path.write_text("edited")
    assert _do(host, write=step)["write"].changed
    assert os.listdir(path.parent) == ["file"]
    assert _do(host, delete=DeleteFile(path=str(path)))["delete"].changed
    assert not _do(host, delete=DeleteFile(path=str(path)))["delete"].changed
    assert not _do(host, delete=DeleteFile(path=str(path / "below")))["delete"].changed


def test_many_files_in_one_batch(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "many" / "f7").mkdir(parents=True)
    steps = {f"f{n}": WriteFile(path=f"{tmp_path}/many/{n % 3}/f{n}", content=str(n), mode=0o600) for n in range(100)}
    results = _do(host, **steps, bad=WriteFile(path=f"{tmp_path}/many/f7", content="", mode=0o600))
    assert [name for name, result in results.items() if not result.ok] == ["bad"]
    assert all((tmp_path / f"many/{n % 3}/f{n}").read_text() == str(n) for n in range(100))
    assert not any(result.changed for result in _do(host, **steps).values())


def test_a_link_is_replaced_and_not_followed(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "link").symlink_to("target")
    assert _do(host, write=WriteFile(path=str(tmp_path / "link"), content="ours", mode=0o600))["write"].ok
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "precious"


def test_a_failed_write_names_the_path(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    results = _do(
        host,
        folder=WriteFile(path=str(tmp_path / "folder"), content="x", mode=0o600),
        below=WriteFile(path=str(tmp_path / "file/x"), content="x", mode=0o600),
        delete=DeleteFile(path=str(tmp_path / "folder")),
        good=WriteFile(path=str(tmp_path / "good"), content="x", mode=0o600),
    )
    assert results["folder"].error == f"{tmp_path}/folder cannot be written: Is a directory"
    assert str(results["below"].error).startswith(f"{tmp_path}/file/x cannot be written: ")
    assert results["delete"].error == f"{tmp_path}/folder cannot be removed: Is a directory"
    assert results["good"].ok
    assert not (tmp_path / ".folder.mosaic-new").exists()


def test_what_stands_where_a_file_should_be(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\xffb")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "fifo")
    os.mknod(tmp_path / "socket", stat.S_IFSOCK | 0o600)
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 1 << 40)
    look = host.look()
    assert look.file(f"{tmp_path}/file") == FileState(content="a\\xffb", mode=0o640, raw=b"a\xffb")
    odd = {name: getattr(look.file(f"{tmp_path}/{name}"), "odd", None) for name in ("link", "fifo", "socket", "sparse")}
    assert odd == {
        "link": "a symbolic link", "fifo": "a FIFO", "socket": "a socket", "sparse": "a file of 1099511627776 bytes",
    }  # fmt: skip
    assert getattr(look.file(str(tmp_path)), "odd", None) == "a folder"
    assert getattr(look.file("/dev/null"), "odd", None) == "a device"
    assert look.file(f"{tmp_path}/none") is None
    assert look.file(f"{tmp_path}/file/none") is None
    assert look.listing(f"{tmp_path}/none") == ()
    assert look.listing(f"{tmp_path}") == tuple(sorted(os.listdir(tmp_path)))
    (tmp_path / "file").write_text("changed")
    before = FileState(content="a\\xffb", mode=0o640, raw=b"a\xffb")
    assert look.file(f"{tmp_path}/file") == before, "a look is one moment"


def test_the_kill_switch(host: LocalHost) -> None:
    switch = Path(host.facts.run_dir) / "PAUSED"
    assert host.paused() is None
    switch.touch()
    assert host.paused() == ""
    switch.write_text("  deploy freeze \nby me\n")
    assert host.paused() == "deploy freeze"
    switch.write_bytes(b"\xff" * 100_000)
    assert 0 < len(host.paused() or "") <= 500
    switch.unlink()
    switch.symlink_to("gone")
    assert "link" in (host.paused() or "")
    switch.unlink()
    os.mkfifo(switch)
    assert host.paused() == ""
    switch.unlink()
    switch.mkdir()
    assert "cannot be read" in (host.paused() or "")


def test_without_a_bus_each_step_says_so(host: LocalHost) -> None:
    jobs = {f"j{n}": UnitJob(verb="start", unit=f"mosaic-agent@{n}.service") for n in range(300)}
    results = _do(host, **jobs, write=WriteFile(path=f"{host.facts.home}/x", content="", mode=0o600))
    assert results.pop("write").ok
    assert all("cannot reach the systemd user manager" in str(result.error) for result in results.values())
    with pytest.raises(ObserveError, match="cannot reach"):
        host.look().units()


def test_without_tmux_a_capture_says_so(tmp_path: Path) -> None:
    bare = LocalHost({"HOME": str(tmp_path), "PATH": str(tmp_path)})
    step = CaptureDead(socket="t", pane="%1", agent="a")
    assert "tmux is not on PATH" in str(_do(bare, c=step)["c"].error)


def test_facts_have_the_xdg_defaults() -> None:
    home = pwd.getpwuid(os.getuid()).pw_dir.rstrip("/")
    plain = facts.gather({})
    assert (plain.home, plain.mosaic_home) == (home, f"{home}/.config/mosaic")
    assert (plain.unit_dir, plain.state_home) == (f"{home}/.config/systemd/user", f"{home}/.local/state")
    assert plain.runtime_dir == f"/run/user/{os.getuid()}"
    assert plain.python == os.path.realpath(sys.executable)
    assert plain.stub_program.endswith("/providers/stub.py")
    given = facts.gather({"HOME": "/h/", "XDG_CONFIG_HOME": "/c/", "MOSAIC_HOME": "relative", "XDG_STATE_HOME": ""})
    assert (given.home, given.unit_dir) == ("/h", "/c/systemd/user")
    assert (given.mosaic_home, given.state_home) == ("/h/.config/mosaic", "/h/.local/state")


def test_addresses_in_order() -> None:
    environ = {
        "DBUS_SESSION_BUS_ADDRESS": "tcp:host=x;unix:path=/a%20b,guid=1;unix:abstract=/c",
        "XDG_RUNTIME_DIR": "/r",
    }
    found = [("/a b", True), ("\0/c", True), ("/r/bus", True), ("/r/systemd/private", False)]
    assert list(bus_address.candidates(environ)) == found
    assert list(bus_address.candidates({})) == []
    assert list(bus_address.candidates({"DBUS_SESSION_BUS_ADDRESS": "unix:path=/r/bus", "XDG_RUNTIME_DIR": "/r"})) == [
        ("/r/bus", True),
        ("/r/systemd/private", False),
    ]


def test_why_there_is_no_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uid = os.getuid()
    user = pwd.getpwuid(uid).pw_name
    monkeypatch.setattr(bus_address, "LINGER_DIR", str(tmp_path))
    missing = [FileNotFoundError(2, "No such file or directory", f"{tmp_path}/bus")]
    no_linger = bus_address.explain({"XDG_RUNTIME_DIR": str(tmp_path)}, uid, missing)
    assert f"{tmp_path}/bus: No such file or directory" in no_linger
    assert no_linger.endswith(f"run: sudo loginctl enable-linger {user}")
    (tmp_path / user).touch()
    stopped = bus_address.explain({"XDG_RUNTIME_DIR": str(tmp_path)}, uid, missing)
    assert stopped.endswith(f"run: sudo systemctl start user@{uid}.service")
    other = bus_address.explain({"XDG_RUNTIME_DIR": "/"}, uid + 1, missing)
    assert "a shell from su or sudo" in other
    assert f"export XDG_RUNTIME_DIR=/run/user/{uid + 1}" in other
    hangs = bus_address.explain({"XDG_RUNTIME_DIR": str(tmp_path)}, uid, [TimeoutError()])
    assert "does not answer" in hangs
    unset = bus_address.explain({}, uid + 1, [])
    assert "XDG_RUNTIME_DIR is not set" in unset
    monkeypatch.setattr(os.path, "isdir", lambda path: path == f"/run/user/{uid}")
    begin, export = f"run: sudo systemctl start user@{uid}.service", f"export XDG_RUNTIME_DIR=/run/user/{uid}"
    # Newer systemds keep the folder while the manager is stopped.
    assert bus_address.explain({}, uid, []).endswith(f"it does not run; {begin}, then {export}")
    of_another = bus_address.explain({"XDG_RUNTIME_DIR": "/"}, uid + 1, missing)
    assert f"run: sudo loginctl enable-linger {pwd.getpwuid(uid + 1).pw_name}, then export" in of_another
    monkeypatch.setattr(bus_address, "manager_listens", lambda _uid: True)
    assert bus_address.explain({}, uid, []).endswith(f"run: {export}")
