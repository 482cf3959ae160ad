"""The responder: `python -m reconciler.respond FLEET_FOLDER UNIT_FILE`, as its unit starts it.

It writes the heartbeats of agents whose programs write none, one file each at their interval, from one question to each
tmux server and one pass over /proc. It imports little, keeps no state, and starts nothing but tmux's own client.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.filesystem.atomic_write import replace_file
from providers.filesystem.guarded_read import read_regular
from providers.machine import heartbeat_files
from providers.processes import procfs
from providers.programs.identity import ProcessTree
from providers.tmux.server import TmuxClient
from reconciler.helpers.sd_notify import Notifier
from reconciler.responder import heartbeat, turn_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.host import HeartbeatFile, Pane
    from reconciler.responder.heartbeat import Watched

TICK_S = 1.0  # how soon a start is noticed: two calls of stat
EARLY = 0.25  # how much of an interval early a heartbeat may come, so that agents are looked at together
UPDATE_S = 5.0  # how often we check whether we were updated
SOON = "soon"
ENV_MAX = 1 << 20
USAGE = 64


class Responder:
    """`folder` is `$MOSAIC_HOME/fleet`. Every failure is reported once, on standard error, and tried again."""

    def __init__(self, folder: str, environ: Mapping[str, str]) -> None:
        self._agents, self._run = f"{folder}/agents", f"{folder}/run"
        self._launches = f"{environ.get('XDG_RUNTIME_DIR') or f'/run/user/{os.getuid()}'}/mosaic/launch"
        self._tmux = TmuxClient(environ, os.getuid())
        self._due: dict[str, float] = {}
        self._pids: dict[str, int] = {}
        self._stamp: object = None
        self._known: dict[str, tuple[tuple[int, int], Watched | None]] = {}
        self._said: set[str] = set()

    def tick(self) -> None:
        """Write what is due. A start that is under way, or a change of an agent's environment, is looked at at once."""
        now = time.monotonic()
        stamp = (changed(self._agents), changed(self._launches))
        fresh, self._stamp = stamp != self._stamp, stamp
        if fresh or any(due <= now for due in self._due.values()):
            self._write_heartbeat(now)

    def _write_heartbeat(self, moment: float) -> None:
        agents = self._watched()
        self._due = {name: self._due.get(name, moment) for name in agents}
        self._pids = {name: pid for name, pid in self._pids.items() if name in agents}
        if not agents:
            return
        problems: set[str] = set()
        try:
            seen = procfs.Scanned(os.getuid())
            heartbeats, turns = heartbeat_files.scan_both(self._run, time.time())
        except ObserveError as error:
            self._say({str(error)})
            self._due = dict.fromkeys(agents, moment + min(agent.interval for agent in agents.values()))
            return
        tree = ProcessTree(seen)
        panes: dict[str, Mapping[str, Pane]] = {}
        for socket in dict.fromkeys(agent.socket for agent in agents.values()):
            try:
                panes[socket] = _panes(self._tmux, socket, seen)
            except ObserveError as error:
                problems.add(f"tmux socket {socket or 'default'}: {error}")
        for name, agent in agents.items():
            pane = panes.get(agent.socket, {}).get(name)
            new = pane is not None and self._pids.get(name) != pane.pid
            if not new and self._due[name] - agent.interval * EARLY > moment:
                continue
            self._due[name] = moment + agent.interval
            problem = self._answer(agent, pane, tree, seen, heartbeats.get(name), turns.get(name))
            if problem == SOON:
                self._due[name] = moment + TICK_S
            elif problem:
                problems.add(problem)
        self._say(problems)

    def _answer(
        self,
        agent: Watched,
        pane: Pane | None,
        tree: ProcessTree,
        seen: procfs.Scanned,
        written: HeartbeatFile | None,
        turn: HeartbeatFile | None,
    ) -> str:
        """Write one heartbeat, or none if the responder is not to answer; return what went wrong, or SOON."""
        if pane is None or pane.dead:
            return ""
        now = time.time()
        identity = tree.identify(pane, ())
        top = seen.processes().get(pane.pid)
        if identity.launching or top is None:
            return SOON if now - max(pane.created, identity.started) < heartbeat.STARTS_S else ""
        self._pids[agent.name] = pane.pid
        if heartbeat.speaks_itself(written, identity.pids, now, agent.interval):
            return ""
        turn = turn_record.refresh_turn(self._run, agent.name, agent.runtime, pane.pid, turn)
        line = heartbeat.heartbeat(agent, pane, top, identity.pids, turn, now)
        try:
            _write(self._run, f"{agent.name}.hb", f"ts={_rfc3339(now)} {line}\n")
        except OSError as error:
            return f"{self._run}: heartbeats cannot be written: {error.strerror}"
        return ""

    def _watched(self) -> dict[str, Watched]:
        """The agents to answer for, from their launch environments; each file is read again only when it changed."""
        known: dict[str, tuple[tuple[int, int], Watched | None]] = {}
        with suppress(OSError), os.scandir(self._agents) as entries:
            for entry in entries:
                name = entry.name.removesuffix(".env")
                if name == entry.name or name.startswith("."):
                    continue
                with suppress(OSError):  # gone, or closed to us: no agent to answer for
                    state = entry.stat(follow_symlinks=False)
                    stamp = (state.st_mtime_ns, state.st_ino)
                    old = self._known.get(name)
                    known[name] = old if old and old[0] == stamp else (stamp, _read(entry.path, name))
        self._known = known
        return {name: agent for name, (_, agent) in known.items() if agent is not None}

    def _say(self, problems: set[str]) -> None:
        for problem in sorted(problems - self._said):
            print(f"mosaic: {problem}", file=sys.stderr, flush=True)
        self._said = problems


def _panes(tmux: TmuxClient, socket: str, seen: procfs.Scanned) -> Mapping[str, Pane]:
    """The pane of each agent of a server, by its mark; none if there is no server. Raises ObserveError."""
    found: dict[str, Pane] = {}
    for pane in tmux.server(socket, seen.processes).panes:
        if pane.mark and not pane.vacant and (pane.mark not in found or found[pane.mark].dead):
            found[pane.mark] = pane
    return found


def _read(path: str, name: str) -> Watched | None:
    """Raises OSError."""
    data = read_regular(path, limit=ENV_MAX, cut=True, follow=False)
    return heartbeat.watched(name, data.decode("utf-8", "replace"))


def _write(folder: str, name: str, text: str) -> None:
    """Write a whole file. No fsync: after a crash of the machine nobody needs an old heartbeat. Raises OSError."""
    write = partial(replace_file, f"{folder}/{name}", text.encode(), temporary=f".{name}.{os.getpid()}", durable=False)
    try:
        write()
    except FileNotFoundError:
        os.makedirs(folder, 0o700, exist_ok=True)
        write()


def _rfc3339(now: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"


def changed(path: str) -> tuple[int, int]:
    """When a file or folder last changed, and its identity; zeros if it is missing."""
    try:
        state = os.stat(path)
    except OSError:
        return 0, 0
    return state.st_mtime_ns, state.st_ino


class Update:
    """Whether our own code or our unit has changed since we started: then we end, and systemd starts us again. systemd
    has to have read the unit first, so its own report counts for that."""

    def __init__(self, unit_file: str, environ: Mapping[str, str]) -> None:
        self._unit_file, self._definition = unit_file, environ.get("MOSAIC_RESPONDER", "")
        self._code = changed(__file__)

    def there(self) -> bool:
        if changed(__file__) not in ((0, 0), self._code):
            return True
        try:
            lines = read_regular(self._unit_file, limit=ENV_MAX, cut=True).decode("utf-8", "replace").split("\n")
        except OSError:
            return False
        asked = [line.partition("MOSAIC_RESPONDER=")[2] for line in lines if "MOSAIC_RESPONDER=" in line]
        return bool(self._definition) and asked[:1] not in ([], [self._definition])


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Answer until SIGTERM; return the exit status."""
    try:
        folder, unit_file = arguments
    except ValueError:
        print("usage: python -m reconciler.respond FLEET_FOLDER UNIT_FILE", file=sys.stderr)
        return USAGE
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    notifier, responder, update = Notifier(environ), Responder(folder, environ), Update(unit_file, environ)
    notifier.ready("answers for agents that have no heartbeat of their own")
    alive_every = notifier.watchdog_s or UPDATE_S
    pinged = looked = time.monotonic()
    while not select.select([wake_read], [], [], TICK_S)[0]:
        responder.tick()
        now = time.monotonic()
        if now - pinged >= alive_every:
            pinged = now
            notifier.alive()
        if now - looked >= UPDATE_S:
            looked = now
            if update.there():
                print("mosaic: the responder has been updated: it restarts", file=sys.stderr, flush=True)
                break
    notifier.stopping()
    return 0
