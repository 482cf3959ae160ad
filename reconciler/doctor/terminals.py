"""Who can reach the tmux servers and their terminals: a user who can write there can type to an agent. Pure."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Sequence

from reconciler.doctor.check import Check, CheckResult, Unseen, unseen
from specs.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNode:
    """Something in the file system. `mode` are all the bits of st_mode."""

    path: str
    owner: str
    ours: bool
    mode: int

    @property
    def permissions(self) -> str:
        """As chmod takes them."""
        return f"{stat.S_IMODE(self.mode):04o}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketFile:
    """One tmux server of the fleet; `name` is "" for the default one. `access`: the users that its own list lets in,
    as (name, may write), without the owner and root. `ttys`: the terminals of its panes."""

    name: str
    state: str | Unseen  # up, down, lost
    node: DeviceNode | None
    access: tuple[tuple[str, bool], ...] | Unseen = ()
    ttys: tuple[DeviceNode, ...] | Unseen = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminals:
    """`folder` is where tmux keeps its sockets and `parent` the folder of that; None: not there."""

    parent: DeviceNode | None
    folder: DeviceNode | Unseen | None
    sockets: tuple[SocketFile, ...]


def judge_terminals(seen: Terminals) -> list[Check]:
    """The folder, each socket, and the terminals."""
    return [_folder(seen), *(check for socket in seen.sockets for check in _socket(socket, seen))]


def _check(name: str, result: CheckResult, found: str, *mend: str, advice: str = "") -> Check:
    return Check(name=name, group="tmux", result=result, found=found, mend=mend, advice=advice)


def _folder(seen: Terminals) -> Check:
    name, folder, parent = "tmux-folder", seen.folder, seen.parent
    if isinstance(folder, Unseen):
        return unseen(name, "tmux", folder)
    if parent is not None and parent.mode & 0o002 and not parent.mode & stat.S_ISVTX:
        found = f"{parent.path} has mode {parent.permissions}: anybody may replace our folder by another"
        return _check(name, "fail", found, f"sudo chmod 1777 {shlex.quote(parent.path)}")
    if folder is None:
        return _check(name, "ok", "tmux has made no folder for sockets yet")
    path = shlex.quote(folder.path)
    if not stat.S_ISDIR(folder.mode):
        return _check(name, "fail", f"{folder.path} is not a folder", f"mv {path} {path}.aside")
    if not folder.ours:
        found = f"{folder.path} belongs to {folder.owner}, who can reach every pane in it"
        return _check(name, "fail", found, f"sudo mv {path} {path}.aside", "reconcile")
    if folder.mode & 0o077:
        found = f"{folder.path} has mode {folder.permissions}: others can reach the panes; tmux may refuse it as well"
        return _check(name, "fail", found, f"chmod 700 {path}")
    return _check(name, "ok", f"{folder.path} is yours alone")


def _socket(socket: SocketFile, seen: Terminals) -> list[Check]:
    shown = socket.name or "default"
    name = f"tmux-socket-{shown}"
    if isinstance(socket.state, Unseen):
        return [unseen(name, "tmux", socket.state)]
    if socket.state == "lost":
        found = "its server lives, and the socket file is gone: somebody cleaned up /tmp"
        return [_check(name, "warn", found, "reconcile")]
    if socket.state == "down":
        return [_check(name, "ok", "no server runs on this socket")]
    return [_permissions(name, socket.node, seen.folder), _access(shown, socket), _ttys(shown, socket.ttys)]


def _permissions(name: str, node: DeviceNode | None, folder: DeviceNode | Unseen | None) -> Check:
    if node is None:
        return unseen(name, "tmux", Unseen(why="its socket is not in tmux' own folder"))
    if not node.ours:
        return _check(
            name,
            "fail",
            f"{node.path} belongs to {node.owner}, who can read and type in every pane",
            advice=f"find out who made it; then: sudo rm {shlex.quote(node.path)}",
        )
    # tmux makes a socket writable by the group, behind a folder that lets nobody in.
    sheltered = isinstance(folder, DeviceNode) and not folder.mode & 0o077
    if node.mode & 0o002 or (node.mode & 0o020 and not sheltered):
        found = f"{node.path} has mode {node.permissions}: others may write to it"
        return _check(name, "warn" if sheltered else "fail", found, f"chmod o-rwx,g-rwx {shlex.quote(node.path)}")
    return _check(name, "ok", f"a server answers on {node.path}, and only you can reach it")


def _access(shown: str, socket: SocketFile) -> Check:
    name, access = f"tmux-access-{shown}", socket.access
    if isinstance(access, Unseen):
        if access.missing:
            return _check(name, "ok", "this tmux has no list of other users: nobody else is let in")
        return unseen(name, "tmux", access)
    if not access:
        return _check(name, "ok", "tmux lets in nobody but you")
    where = f"-L {shlex.quote(socket.name)} " if socket.name else ""
    writers = [user for user, may_write in access if may_write]
    found = f"tmux lets in {', '.join(f'{user} ({_may(write)})' for user, write in access)}"
    mend = [f"tmux {where}server-access -d {shlex.quote(user)}" for user, _ in access]
    return _check(name, "fail" if writers else "warn", found, *mend)


def _may(write: bool) -> str:
    return "may type" if write else "may look"


def _ttys(shown: str, ttys: Sequence[DeviceNode] | Unseen) -> Check:
    name = f"pane-terminals-{shown}"
    if isinstance(ttys, Unseen):
        return unseen(name, "tmux", ttys)
    foreign = [tty for tty in ttys if not tty.ours]
    loose = [tty for tty in ttys if tty.ours and tty.mode & 0o002]
    if not foreign and not loose:
        return _check(name, "ok", f"{len(ttys)} terminal{'' if len(ttys) == 1 else 's'}, open to nobody else")
    found = [f"{tty.path} belongs to {tty.owner}" for tty in foreign]
    found += [f"{tty.path} has mode {tty.permissions}: anybody may write to the screen" for tty in loose]
    mend = [f"chmod o-w {tty.path}" for tty in loose]
    return _check(
        name,
        "fail",
        "; ".join(found),
        *mend,
        advice="" if mend else "restart those agents: others own their terminals",
    )
