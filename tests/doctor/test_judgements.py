"""Each judgement by itself: from what was found to ok, warn, fail or unknown, and what mends it."""

from __future__ import annotations

import stat
from dataclasses import replace

import pytest

from providers.host import UnitState
from providers.kinds.overrides import Override
from reconciler.doctor.check import Check, CheckResult, Unseen, worst
from reconciler.doctor.clock import ClockFacts, judge_clock
from reconciler.doctor.files import (
    MIB,
    Disk,
    HeartbeatFacts,
    Loose,
    Modes,
    Watches,
    judge_disks,
    judge_heartbeats,
    judge_modes,
    judge_watches,
)
from reconciler.doctor.leftovers import Leftovers, judge_leftovers
from reconciler.doctor.loop import RESIDENT, SERVICE, TIMER, KillSwitch, Loop, judge_loop
from reconciler.doctor.programs import FoundProgram, judge_programs, parse_version
from reconciler.doctor.repository import Reached, Repository, UnreachedRemote, judge_repository
from reconciler.doctor.runtimes import RuntimeProgram, Runtimes, judge_runtimes
from reconciler.doctor.session import judge_environment, judge_host, judge_locale, judge_tmux_attach
from reconciler.doctor.systemd import (
    Manager,
    PanePlace,
    Placement,
    Server,
    judge_linger,
    judge_manager,
    judge_overrides,
    judge_placement,
)
from reconciler.doctor.terminals import DeviceNode, SocketFile, Terminals, judge_terminals
from specs.compiled import Suspension

NOW = 1_763_600_000.0
HIDDEN = Unseen(why="no answer within 3 s")


def only(checks: list[Check], name: str) -> Check:
    """The check of that name; every one that is not ok says what to do."""
    for check in checks:
        assert check.result in ("ok", "unknown") or check.mend or check.advice, check
        assert check.found, check
    [found] = [check for check in checks if check.name == name]
    return found


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("tmux 3.3a", (3, 3)),
        ("git version 2.39.5", (2, 39, 5)),
        ("systemd 252 (252.39-1~deb12u2)", (252,)),
        ("tmux next-3.6", (3, 6)),
        ("tmux master", ()),
    ],
)
def test_versions_are_read(said: str, version: tuple[int, ...]) -> None:
    assert parse_version(said) == version


@pytest.mark.parametrize(
    ("name", "said", "result", "mend"),
    [
        ("tmux", "tmux 3.3a", "ok", ()),
        ("tmux", "tmux 3.5", "ok", ()),
        ("tmux", "tmux 3.2a", "warn", ()),
        ("tmux", "tmux 3.1c", "fail", ("sudo apt install tmux",)),
        ("tmux", "tmux master", "unknown", ()),
        ("git", "git version 2.39.5", "ok", ()),
        ("git", "git version 2.31.0", "warn", ()),
        ("git", "git version 2.30.2", "fail", ("sudo apt install git",)),
        ("systemd", "systemd 252 (252)", "ok", ()),
        ("systemd", "systemd 249 (249.11)", "warn", ()),
        ("systemd", "systemd 235", "fail", ("sudo apt install systemd",)),
        ("python", "Python 3.11.2", "ok", ()),
        ("git", Unseen(why="git is not on PATH", missing=True), "fail", ("sudo apt install git",)),
        ("git", HIDDEN, "unknown", ()),
    ],
)
def test_programs(name: str, said: str | Unseen, result: CheckResult, mend: tuple[str, ...]) -> None:
    check = only(judge_programs((FoundProgram(name=name, path=f"/usr/bin/{name}", said=said),), {}), name)
    assert (check.result, check.mend) == (result, mend)


def test_helpers_that_are_missing() -> None:
    check = only(judge_programs((), {"gpg": "gnupg"}), "gpg")
    assert (check.result, check.mend) == ("fail", ("sudo apt install gnupg",))


MANAGER = Manager(
    user="ada",
    uid=1000,
    sudo_user="",
    runtime="/run/user/1000",
    runtime_owner="ada",
    runtime_is_ours=True,
    own_runtime=True,
    own_listens=True,
    process_1="systemd",
    booted=True,
    answers="bus",
    bus=True,
    silent=False,
    why="",
    linger=True,
)
GONE = replace(MANAGER, answers="", bus=False, why="cannot reach the systemd user manager: x")
STOPPED = replace(GONE, own_listens=False)
START = "sudo systemctl start user@1000.service"
EXPORT = "export XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus"


@pytest.mark.parametrize(
    ("manager", "result", "words", "mend"),
    [
        (MANAGER, "ok", "on the user bus", ()),
        (
            replace(MANAGER, answers="private", bus=False),
            "warn",
            "there is no user bus",
            ("sudo apt install dbus-user-session", "systemctl --user start dbus.socket"),
        ),
        (replace(MANAGER, answers="private"), "warn", "does not lead", ("systemctl --user status dbus.service",)),
        (replace(GONE, booted=False, process_1="tini"), "fail", "process 1 is tini and not systemd", ()),
        (replace(GONE, silent=True), "fail", "does not answer", ("systemctl status user@1000.service",)),
        (replace(GONE, runtime="", runtime_owner=None), "fail", "a shell from su or cron", (EXPORT,)),
        (
            replace(GONE, runtime="", runtime_owner=None, sudo_user="eve"),
            "fail",
            "a shell from sudo, by eve",
            (EXPORT,),
        ),
        (
            replace(GONE, runtime="/run/user/0", runtime_owner="root", runtime_is_ours=False),
            "fail",
            "belongs to root, and you are ada: a shell from su that kept",
            (EXPORT,),
        ),
        (
            replace(GONE, runtime="/run/user/7", runtime_owner="eve", runtime_is_ours=False, sudo_user="eve"),
            "fail",
            "a shell from sudo that kept",
            (EXPORT,),
        ),
        (
            replace(
                GONE,
                runtime="/run/user/0",
                runtime_owner="root",
                runtime_is_ours=False,
                own_runtime=False,
                own_listens=False,
                linger=False,
            ),
            "fail",
            "belongs to root",
            ("sudo loginctl enable-linger ada", EXPORT),
        ),
        (
            replace(GONE, runtime="", runtime_owner=None, own_runtime=False, own_listens=False, linger=False),
            "fail",
            "ada is not logged in and has no linger, so there is no /run/user/1000 (XDG_RUNTIME_DIR is not set)",
            ("sudo loginctl enable-linger ada", EXPORT),
        ),
        (
            replace(GONE, runtime_owner=None, own_runtime=False, own_listens=False),
            "fail",
            "has a systemd manager that is not running",
            ("sudo systemctl start user@1000.service", EXPORT),
        ),
        (replace(GONE, runtime="/nowhere", runtime_owner=None), "fail", "/nowhere does not exist", (EXPORT,)),
        (
            replace(
                GONE,
                user="root",
                uid=0,
                runtime="",
                runtime_owner=None,
                own_runtime=False,
                own_listens=False,
                sudo_user="ada",
            ),
            "fail",
            "as root, through sudo",
            ("mosaic doctor",),
        ),
        # The folder outlives a manager that was stopped.
        (STOPPED, "fail", "ada has a systemd manager that is not running", (START,)),
        (replace(STOPPED, linger=False), "fail", "ada has a systemd manager that is not running", (START,)),
        (
            replace(STOPPED, runtime="", runtime_owner=None),
            "fail",
            "(a shell from su or cron), and ada has",
            (START, EXPORT),
        ),
        (
            replace(STOPPED, runtime="/nowhere", runtime_owner=None),
            "fail",
            "ada has a systemd manager",
            (START, EXPORT),
        ),
        (
            replace(STOPPED, runtime="/run/user/0", runtime_owner="root", runtime_is_ours=False),
            "fail",
            "belongs to root",
            (START, EXPORT),
        ),
        (GONE, "fail", "cannot reach the systemd user manager: x", ("systemctl status user@1000.service",)),
    ],
)
def test_the_user_manager(manager: Manager, result: CheckResult, words: str, mend: tuple[str, ...]) -> None:
    check = only([judge_manager(manager)], "user-manager")
    assert (check.result, check.mend) == (result, mend)
    assert words in check.found


@pytest.mark.parametrize(
    ("linger", "needed", "result"),
    [(True, True, "ok"), (False, True, "fail"), (False, False, "warn"), (HIDDEN, True, "unknown")],
)
def test_linger(linger: bool | Unseen, needed: bool, result: CheckResult) -> None:
    check = only([judge_linger(replace(MANAGER, linger=linger), needed=needed)], "linger")
    assert check.result == result
    assert check.mend == (("sudo loginctl enable-linger ada",) if linger is False else ())


@pytest.mark.parametrize(
    ("unit", "result", "words"),
    [
        ("mosaic-tmux-holder.service", "ok", "in their units"),
        ("mosaic-reconcile.service", "fail", "stopping the reconciler would end every agent"),
        ("mosaic-reconcile-watch.service", "fail", "stopping the reconciler would end every agent"),
        ("mosaic-agent@coder0.service", "fail", "stopping that ends every agent"),
        ("session-4.scope", "warn", "the login session session-4.scope"),
        ("vte-spawn-1.scope", "warn", "ends with it"),
    ],
)
def test_where_a_tmux_server_lives(unit: str, result: CheckResult, words: str) -> None:
    place = Placement(servers=(Server(socket="fleet", pid=7, unit=unit),))
    check = only(judge_placement(place), "cgroup-placement")
    assert check.result == result
    assert words in check.found


def test_a_pane_without_a_scope_is_told_of() -> None:
    good = PanePlace(agent="coder0", pid=8, unit="mosaic-pane-coder0:1f.scope")
    bad = PanePlace(agent="coder1", pid=9, unit="mosaic-tmux-holder.service")
    server = (Server(socket="fleet", pid=7, unit="mosaic-tmux-holder.service"),)
    assert only(judge_placement(Placement(servers=server, panes=(good,))), "cgroup-placement").result == "ok"
    check = only(judge_placement(Placement(servers=server, panes=(good, bad))), "cgroup-placement")
    assert check.result == "warn"
    assert "the pane of coder1 (process 9)" in check.found
    assert only(judge_placement(Placement(servers=HIDDEN)), "cgroup-placement").result == "unknown"
    within = only(judge_placement(Placement(servers=server, here="mosaic-pane-coder0:1f.scope")), "cgroup-placement")
    assert within.found.endswith("this command runs in the pane of coder0")


@pytest.mark.parametrize(
    ("controllers", "limited", "result"),
    [
        (("memory", "pids"), ("coder0",), "ok"),
        (("pids",), (), "ok"),
        (("pids",), ("coder0",), "warn"),
        (HIDDEN, ("coder0",), "unknown"),
    ],
)
def test_memory_limits(controllers: tuple[str, ...] | Unseen, limited: tuple[str, ...], result: CheckResult) -> None:
    place = Placement(servers=(), controllers=controllers, limited=limited)
    assert only(judge_placement(place), "memory-limits").result == result


def test_other_limits_are_named_where_they_are_asked_for() -> None:
    place = Placement(servers=(), controllers=("memory", "cpu"), asked={"cpu": ("a",), "pids": ("a", "b")})
    assert only(judge_placement(place), "cpu-limits").result == "ok"
    pids = only(judge_placement(place), "pids-limits")
    assert (pids.result, "a, b" in pids.found) == ("warn", True)


def test_a_pane_in_the_scope_of_another_agent_is_not_in_its_own() -> None:
    pane = PanePlace(agent="coder1", pid=9, unit="mosaic-pane-coder0:1f.scope")
    assert only(judge_placement(Placement(servers=(), panes=(pane,))), "cgroup-placement").result == "warn"


@pytest.mark.parametrize(
    ("environ", "usable", "result", "mend"),
    [
        ({"LANG": "de_DE.UTF-8"}, True, "ok", ()),
        ({"LANG": "C", "LC_CTYPE": "C.utf8"}, True, "ok", ()),
        ({"LANG": "C"}, True, "warn", ("export LANG=C.UTF-8",)),
        ({}, True, "warn", ("export LANG=C.UTF-8",)),
        ({"LANG": "C.UTF-8", "LC_ALL": "C"}, True, "warn", ("unset LC_ALL", "export LANG=C.UTF-8")),
        ({"LC_ALL": "xx_YY.UTF-8"}, False, "warn", ("export LC_ALL=C.UTF-8",)),
    ],
)
def test_locale(environ: dict[str, str], usable: bool, result: CheckResult, mend: tuple[str, ...]) -> None:
    check = only([judge_locale(environ, usable=usable)], "locale")
    assert (check.result, check.mend) == (result, mend)


def test_a_folder_that_only_this_shell_knows() -> None:
    home = {"HOME": "/home/ada"}
    same = judge_environment({**home, "XDG_CONFIG_HOME": "/home/ada/.config"}, home)
    assert same.result == "ok"
    check = only([judge_environment({**home, "MOSAIC_HOME": "/srv/m"}, home)], "environment")
    assert check.result == "warn"
    assert "MOSAIC_HOME is /srv/m here and /home/ada/.config/mosaic in the user's systemd" in check.found
    assert check.mend[1] == "systemctl --user set-environment MOSAIC_HOME=/srv/m"
    assert judge_environment(home, HIDDEN).result == "unknown"


CLAUDE = RuntimeProgram(
    runtime="claude", program="claude", agents=("coder0",), path="", version=Unseen(why="not found"), search="/bin"
)
AROUND = Runtimes(programs=(), settings_file="/home/ada/.config/mosaic/reconcile.toml", path_is_set=False, npm=True)


@pytest.mark.parametrize(
    ("one", "around", "result", "words", "mend"),
    [
        (replace(CLAUDE, path="/b/claude", version="2.1.197"), AROUND, "ok", "2.1.197, /b/claude; used by coder0", ()),
        (
            replace(CLAUDE, path="/b/claude", version="9.0.0"),
            AROUND,
            "ok",
            "2.1.332 was tried, this one can be: mosaic doctor --contract claude",
            (),
        ),
        (replace(CLAUDE, path="/b/claude", version=HIDDEN), AROUND, "warn", "no answer", ("/b/claude --version",)),
        (
            CLAUDE,
            AROUND,
            "fail",
            "not on an agent's PATH (/bin)",
            ("npm install --global --prefix ~/.local @anthropic-ai/claude-code",),
        ),
        (
            CLAUDE,
            replace(AROUND, npm=False),
            "fail",
            "not on an agent's PATH",
            ("sudo apt install nodejs npm", "npm install --global --prefix ~/.local @anthropic-ai/claude-code"),
        ),
        (
            replace(CLAUDE, elsewhere="/opt/n/bin/claude"),
            AROUND,
            "fail",
            "is at /opt/n/bin/claude, which is not on an agent's PATH",
            ("echo 'path = [\"/opt/n/bin\"]' >>/home/ada/.config/mosaic/reconcile.toml", "reconcile"),
        ),
        (replace(CLAUDE, elsewhere="/opt/n/bin/claude"), replace(AROUND, path_is_set=True), "fail", "/opt/n", ()),
        (replace(CLAUDE, agents=()), AROUND, "ok", "not installed; no agent uses it", ()),
        (replace(CLAUDE, program="/opt/claude"), AROUND, "fail", "/opt/claude is not a program", ()),
        (replace(CLAUDE, runtime="mine", program="mine"), AROUND, "fail", "mine is not on an agent's PATH", ()),
        (
            replace(CLAUDE, path="/b/claude", version="2.1.197", agents=tuple("abcdef")),
            AROUND,
            "ok",
            "used by a, b, c, d and 2 more",
            (),
        ),
    ],
)
def test_runtimes(
    one: RuntimeProgram, around: Runtimes, result: CheckResult, words: str, mend: tuple[str, ...]
) -> None:
    check = only(judge_runtimes(replace(around, programs=(one,))), f"runtime-{one.runtime}")
    assert (check.result, check.mend) == (result, mend)
    assert words in check.found


TMP = DeviceNode(path="/tmp", owner="root", ours=False, mode=stat.S_IFDIR | 0o1777)
FOLDER = DeviceNode(path="/tmp/tmux-1000", owner="ada", ours=True, mode=stat.S_IFDIR | 0o700)
SOCKET = DeviceNode(path="/tmp/tmux-1000/fleet", owner="ada", ours=True, mode=stat.S_IFSOCK | 0o660)
TTY = DeviceNode(path="/dev/pts/3", owner="ada", ours=True, mode=stat.S_IFCHR | 0o620)
UP = SocketFile(name="fleet", state="up", node=SOCKET, access=(), ttys=(TTY,))


@pytest.mark.parametrize(
    ("parent", "folder", "result", "mend"),
    [
        (TMP, FOLDER, "ok", ()),
        (TMP, None, "ok", ()),
        (TMP, HIDDEN, "unknown", ()),
        (replace(TMP, mode=stat.S_IFDIR | 0o777), FOLDER, "fail", ("sudo chmod 1777 /tmp",)),
        (TMP, replace(FOLDER, mode=stat.S_IFDIR | 0o777), "fail", ("chmod 700 /tmp/tmux-1000",)),
        (TMP, replace(FOLDER, mode=stat.S_IFDIR | 0o750), "fail", ("chmod 700 /tmp/tmux-1000",)),
        (TMP, replace(FOLDER, mode=stat.S_IFLNK | 0o777), "fail", ("mv /tmp/tmux-1000 /tmp/tmux-1000.aside",)),
        (
            TMP,
            replace(FOLDER, ours=False, owner="eve"),
            "fail",
            ("sudo mv /tmp/tmux-1000 /tmp/tmux-1000.aside", "reconcile"),
        ),
    ],
)
def test_the_folder_of_sockets(
    parent: DeviceNode, folder: DeviceNode | Unseen | None, result: CheckResult, mend: tuple[str, ...]
) -> None:
    check = only(judge_terminals(Terminals(parent=parent, folder=folder, sockets=())), "tmux-folder")
    assert (check.result, check.mend) == (result, mend)


@pytest.mark.parametrize(
    ("socket", "folder_mode", "name", "result", "mend"),
    [
        (UP, 0o700, "tmux-socket-fleet", "ok", ()),
        (UP, 0o750, "tmux-socket-fleet", "fail", ("chmod o-rwx,g-rwx /tmp/tmux-1000/fleet",)),
        (
            replace(UP, node=replace(SOCKET, mode=stat.S_IFSOCK | 0o666)),
            0o700,
            "tmux-socket-fleet",
            "warn",
            ("chmod o-rwx,g-rwx /tmp/tmux-1000/fleet",),
        ),
        (replace(UP, node=replace(SOCKET, ours=False, owner="eve")), 0o700, "tmux-socket-fleet", "fail", ()),
        (replace(UP, node=None), 0o700, "tmux-socket-fleet", "unknown", ()),
        (replace(UP, state="down", node=None), 0o700, "tmux-socket-fleet", "ok", ()),
        (replace(UP, state="lost", node=None), 0o700, "tmux-socket-fleet", "warn", ("reconcile",)),
        (replace(UP, state=HIDDEN), 0o700, "tmux-socket-fleet", "unknown", ()),
        (UP, 0o700, "tmux-access-fleet", "ok", ()),
        (replace(UP, access=Unseen(why="x", missing=True)), 0o700, "tmux-access-fleet", "ok", ()),
        (replace(UP, access=HIDDEN), 0o700, "tmux-access-fleet", "unknown", ()),
        (
            replace(UP, access=(("eve", True),)),
            0o700,
            "tmux-access-fleet",
            "fail",
            ("tmux -L fleet server-access -d eve",),
        ),
        (
            replace(UP, name="", access=(("eve", False),)),
            0o700,
            "tmux-access-default",
            "warn",
            ("tmux server-access -d eve",),
        ),
        (UP, 0o700, "pane-terminals-fleet", "ok", ()),
        (
            replace(UP, ttys=(replace(TTY, mode=stat.S_IFCHR | 0o666),)),
            0o700,
            "pane-terminals-fleet",
            "fail",
            ("chmod o-w /dev/pts/3",),
        ),
        (replace(UP, ttys=(replace(TTY, ours=False, owner="eve"),)), 0o700, "pane-terminals-fleet", "fail", ()),
        (replace(UP, ttys=HIDDEN), 0o700, "pane-terminals-fleet", "unknown", ()),
    ],
)
def test_who_else_can_type(
    socket: SocketFile, folder_mode: int, name: str, result: CheckResult, mend: tuple[str, ...]
) -> None:
    folder = replace(FOLDER, mode=stat.S_IFDIR | folder_mode)
    check = only(judge_terminals(Terminals(parent=TMP, folder=folder, sockets=(socket,))), name)
    assert (check.result, check.mend) == (result, mend)


DISK = Disk(what="state", path="/s", free=10_000 * MIB, inodes=100_000, read_only=False)


@pytest.mark.parametrize(
    ("disk", "result", "commands"),
    [
        (DISK, "ok", 0),
        (replace(DISK, inodes=None), "ok", 0),
        (replace(DISK, free=512 * MIB), "ok", 0),
        (replace(DISK, free=512 * MIB - 1), "warn", 1),
        (replace(DISK, free=32 * MIB - 1), "fail", 1),
        (replace(DISK, what="runtime", free=8 * MIB), "ok", 0),
        (replace(DISK, what="runtime", free=0), "fail", 1),
        (replace(DISK, inodes=4999), "warn", 2),
        (replace(DISK, inodes=199), "fail", 2),
        (replace(DISK, read_only=True), "fail", 1),
    ],
)
def test_disks(disk: Disk, result: CheckResult, commands: int) -> None:
    check = only(judge_disks([disk]), f"disk-{disk.what}")
    assert (check.result, len(check.mend)) == (result, commands)


def test_a_disk_that_cannot_be_asked() -> None:
    assert only(judge_disks([HIDDEN]), "disk").result == "unknown"


@pytest.mark.parametrize(
    ("modes", "result", "mend"),
    [
        (Modes(looked_at=9, loose=()), "ok", ()),
        (Modes(looked_at=0, loose=()), "ok", ()),
        (
            Modes(looked_at=9, loose=(Loose(path="/a b", permissions="0644", harm="read"),)),
            "warn",
            ("chmod go-rwx '/a b'",),
        ),
        (Modes(looked_at=9, loose=(Loose(path="/a", permissions="0666", harm="write"),)), "fail", ("chmod go-w /a",)),
        (
            Modes(looked_at=9, loose=(Loose(path="/a", permissions="0600", harm="owner", owner="eve"),)),
            "fail",
            ('sudo chown "$(id -un)" /a',),
        ),
        (Modes(looked_at=9, loose=(), unread=("/locked",)), "unknown", ()),
        (HIDDEN, "unknown", ()),
    ],
)
def test_file_modes(modes: Modes | Unseen, result: CheckResult, mend: tuple[str, ...]) -> None:
    check = only([judge_modes(modes)], "file-modes")
    assert (check.result, check.mend) == (result, mend)


@pytest.mark.parametrize(
    ("beats", "needed", "result"),
    [
        (HeartbeatFacts(path="/r", there=True), True, "ok"),
        (HeartbeatFacts(path="/r", there=False), False, "ok"),
        (HeartbeatFacts(path="/r", there=False), True, "warn"),
        (HeartbeatFacts(path="/r", there=True, trouble="it is not a folder"), False, "fail"),
        (HIDDEN, True, "unknown"),
    ],
)
def test_the_heartbeat_folder(beats: HeartbeatFacts | Unseen, needed: bool, result: CheckResult) -> None:
    assert only([judge_heartbeats(beats, needed=needed)], "heartbeat-folder").result == result


@pytest.mark.parametrize(
    ("watches", "resident", "result"),
    [
        (Watches(limit=128, used=119), True, "ok"),
        (Watches(limit=128, used=120), True, "warn"),
        (Watches(limit=128, used=128), False, "warn"),
        (Watches(limit=128, used=128), True, "fail"),
        (HIDDEN, True, "unknown"),
    ],
)
def test_watching_files(watches: Watches | Unseen, resident: bool, result: CheckResult) -> None:
    assert only([judge_watches(watches, resident=resident)], "inotify").result == result


@pytest.mark.parametrize(
    ("clock", "back", "sync"),
    [
        (ClockFacts(now=NOW, synchronised=True), "ok", "ok"),
        (ClockFacts(now=NOW, synchronised=False, newest=NOW + 15, stamp="x"), "ok", "warn"),
        (ClockFacts(now=NOW, synchronised=HIDDEN, newest=NOW + 16, stamp="x"), "warn", "unknown"),
    ],
)
def test_the_clock(clock: ClockFacts, back: CheckResult, sync: CheckResult) -> None:
    checks = judge_clock(clock)
    assert (only(checks, "clock").result, only(checks, "clock-sync").result) == (back, sync)


THERE = Repository(
    settings_file="/c/reconcile.toml",
    shown="/srv/fleet",
    reached=Reached(ref="refs/heads/main", revision="a" * 40),
    seen_at=NOW - 60,
    ledger="",
)
REFUSED = UnreachedRemote(why="git said no")


@pytest.mark.parametrize(
    ("found", "name", "result", "mend"),
    [
        (THERE, "source", "ok", ()),
        (replace(THERE, reached=REFUSED), "source", "fail", ("git ls-remote /srv/fleet HEAD",)),
        (replace(THERE, reached=REFUSED, local=False), "source", "warn", ("git ls-remote /srv/fleet HEAD",)),
        (
            replace(THERE, reached=REFUSED, local=False, seen_at=None),
            "source",
            "fail",
            ("git ls-remote /srv/fleet HEAD",),
        ),
        (replace(THERE, reached=REFUSED, local=False, shown="https://***@h/x"), "source", "warn", ()),
        (
            replace(THERE, reached=UnreachedRemote(why="dubious", dubious="/srv/fleet")),
            "source",
            "fail",
            ("git config --global --add safe.directory /srv/fleet",),
        ),
        (THERE, "trust", "ok", ()),
        (replace(THERE, verify="all", keys="the SSH keys in /k"), "trust", "ok", ()),
        (replace(THERE, verify="all", keys_error=UnreachedRemote(why="it is empty")), "trust", "fail", ()),
        (
            replace(THERE, verify="all", keys_error=UnreachedRemote(why="others may write", help="chmod 600 /k")),
            "trust",
            "fail",
            ("chmod 600 /k",),
        ),
        (replace(THERE, rejected="InvalidConfiguration: x"), "newest-commit", "fail", ("reconcile --dry-run",)),
        (THERE, "ledger", "ok", ()),
        (replace(THERE, ledger="it was altered"), "ledger", "warn", ("reconcile --dry-run --allow-rewind",)),
        (
            replace(THERE, ledger="it was altered", verify="head"),
            "ledger",
            "fail",
            ("reconcile --dry-run --allow-rewind",),
        ),
        (replace(THERE, ledger=HIDDEN), "ledger", "unknown", ()),
        (
            replace(THERE, settings_error=UnreachedRemote(why="bad", help="chmod 600 /c")),
            "settings",
            "fail",
            ("chmod 600 /c",),
        ),
        (replace(THERE, settings_error=UnreachedRemote(why="bad", help="edit /c; it is TOML")), "settings", "fail", ()),
    ],
)
def test_the_repository(found: Repository, name: str, result: CheckResult, mend: tuple[str, ...]) -> None:
    check = only(judge_repository(found, now=NOW), name)
    assert (check.result, check.mend) == (result, mend)


def test_without_a_repository_there_is_nothing_to_say_of_it() -> None:
    names = {check.name for check in judge_repository(Repository(settings_file="/c", there=False), now=NOW)}
    assert names == {"settings", "trust"}


ACTIVE = UnitState(load="loaded", active="active", sub="waiting")
TIMED = Loop(
    install="timer",
    units={TIMER: ACTIVE, SERVICE: UnitState(load="loaded", active="inactive", sub="dead")},
    enabled=frozenset({TIMER}),
    interval=60.0,
    last_run=NOW - 30,
    exit_code=0,
    running="",
    kill_switch=None,
    suspended={},
    ran=True,
    named=True,
)


@pytest.mark.parametrize(
    ("loop", "result", "first"),
    [
        (TIMED, "ok", None),
        (replace(TIMED, install="watch", units={RESIDENT: ACTIVE}, enabled=frozenset({RESIDENT})), "ok", None),
        (replace(TIMED, units={}), "fail", "mosaic fleet install"),
        (replace(TIMED, install="watch", units={}), "fail", "mosaic fleet install --watch"),
        (
            replace(TIMED, units={TIMER: UnitState(load="loaded", active="inactive", sub="dead")}),
            "fail",
            f"systemctl --user restart {TIMER}",
        ),
        (
            replace(TIMED, units={TIMER: UnitState(load="not-found", active="inactive", sub="dead")}),
            "fail",
            "mosaic fleet install",
        ),
        (replace(TIMED, enabled=frozenset()), "fail", f"systemctl --user enable {TIMER}"),
        (replace(TIMED, enabled=HIDDEN), "ok", None),
        (
            replace(TIMED, units={TIMER: ACTIVE, SERVICE: UnitState(load="loaded", active="failed", sub="failed")}),
            "fail",
            f"journalctl --user -u {SERVICE} -n 50",
        ),
        (replace(TIMED, units=HIDDEN), "unknown", None),
        (replace(TIMED, install="none"), "warn", "mosaic fleet install"),
        (replace(TIMED, install="none", named=False), "warn", "mosaic fleet install ~/fleet"),
        (replace(TIMED, install="none", ran=False), "ok", None),
    ],
)
def test_the_reconciler(loop: Loop, result: CheckResult, first: str | None) -> None:
    check = only(judge_loop(loop, now=NOW), "reconciler")
    assert (check.result, check.mend[0] if check.mend else None) == (result, first)


def test_units_that_have_failed() -> None:
    broken = UnitState(load="loaded", active="failed", sub="failed")
    loop = replace(TIMED, units={TIMER: ACTIVE, SERVICE: broken, "mosaic-agent@x.service": broken})
    check = only(judge_loop(loop, now=NOW), "failed-units")
    assert (check.result, check.found) == ("warn", "mosaic-agent@x.service")
    assert check.mend == ("systemctl --user status mosaic-agent@x.service",)


@pytest.mark.parametrize(
    ("loop", "result"),
    [
        (replace(TIMED, last_run=NOW - 300), "ok"),
        (replace(TIMED, last_run=NOW - 301), "fail"),
        (replace(TIMED, last_run=NOW - 301, running="pid 7 (reconcile)"), "ok"),
        (replace(TIMED, last_run=NOW - 301, install="none"), "ok"),
        (replace(TIMED, last_run=0.0), "warn"),
        (replace(TIMED, exit_code=1), "warn"),
    ],
)
def test_a_dead_reconciler_is_noticed(loop: Loop, result: CheckResult) -> None:
    assert only(judge_loop(loop, now=NOW), "last-run").result == result


def test_hands_off_is_noted() -> None:
    paused = replace(
        TIMED,
        kill_switch=KillSwitch(reason="a storm", by="ada", since=NOW - 60),
        suspended={
            "*": Suspension(reason="moving", by="ada", until=None),
            "x": Suspension(reason="y", by="z", until=NOW),
        },
    )
    checks = judge_loop(paused, now=NOW)
    switch, suspended = only(checks, "kill-switch"), only(checks, "suspensions")
    assert (switch.result, switch.mend) == ("warn", ("mosaic fleet resume",))
    assert "by ada 1m ago" in switch.found
    assert suspended.mend == ("mosaic fleet unsuspend --all", "mosaic fleet unsuspend x")
    assert [check.name for check in judge_loop(replace(TIMED, ran=False), now=NOW)] == [
        "reconciler", "kill-switch", "suspensions",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("left", "name", "result", "first"),
    [
        (Leftovers(), "leftovers", "ok", None),
        (HIDDEN, "leftovers", "unknown", None),
        (
            Leftovers(units=("/u/mosaic-agent@.service",)),
            "old-units",
            "fail",
            "mv /u/mosaic-agent@.service /u/mosaic-agent@.service.aside",
        ),
        (Leftovers(units=("/u/mos-x.service",)), "other-units", "warn", "systemctl --user disable mos-x.service"),
        (Leftovers(envs=("/a/x.env",)), "old-environments", "fail", "mv /a/x.env /a/x.env.aside"),
        (Leftovers(heartbeats=("/r/x.hb",)), "heartbeats-of-nobody", "warn", "rm /r/x.hb"),
        (Leftovers(links=("/u/d.wants/mosaic-x",)), "broken-links", "warn", "rm /u/d.wants/mosaic-x"),
        (
            Leftovers(nobody=("mosaic-agent@x.service",)),
            "agents-of-nobody",
            "warn",
            "systemctl --user disable mosaic-agent@x.service",
        ),
        (
            Leftovers(old=("/m/fleet/roster.yaml",)),
            "older-files",
            "warn",
            "mv /m/fleet/roster.yaml /m/fleet/roster.yaml.aside",
        ),
    ],
)
def test_leftovers(left: Leftovers | Unseen, name: str, result: CheckResult, first: str | None) -> None:
    [check] = judge_leftovers(left)
    assert only([check], name).result == result
    assert (check.mend[0] if check.mend else None) == first


def test_the_worst_comes_first() -> None:
    assert worst(("ok", "warn", "fail", "unknown")) == "fail"
    assert worst(("ok", "warn", "unknown")) == "unknown"
    assert worst(()) == "ok"


def test_where_a_plain_tmux_looks() -> None:
    assert judge_tmux_attach({}, 7, ("fl",)).result == "ok"
    assert judge_tmux_attach({"TMUX_TMPDIR": "/tmp/"}, 7, ("fl",)).result == "ok"
    check = only([judge_tmux_attach({"TMUX_TMPDIR": "/run/user/7/"}, 7, ("fl",))], "tmux-attach")
    assert (check.result, check.mend) == ("warn", ("unset TMUX_TMPDIR",))
    assert "look in /run/user/7/tmux-7" in check.found
    assert "are in /tmp/tmux-7/fl: env -u TMUX_TMPDIR tmux -L fl attach" in check.found
    assert (
        "/tmp/tmux-7/default: env -u TMUX_TMPDIR tmux attach" in judge_tmux_attach({"TMUX_TMPDIR": "/x"}, 7, ()).found
    )


def test_units_that_somebody_made_others_of() -> None:
    assert judge_overrides({}).result == "ok"
    assert judge_overrides(HIDDEN).result == "unknown"
    mask = Override(word="masked", path="/x", why="mosaic-agent@b.service is masked by /x")
    check = only([judge_overrides({"mosaic-agent@b.service": mask})], "units")
    assert (check.result, check.found) == ("warn", mask.why)


def test_a_host_that_a_run_would_refuse() -> None:
    assert judge_host(("", "")).result == "ok"
    check = only([judge_host(("this host was", "reconcile --rebind-host"))], "host")
    assert (check.result, check.advice) == ("fail", "reconcile --rebind-host")
