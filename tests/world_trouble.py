"""What can happen to a simulated host behind the reconciler's back. Each does what it says, or nothing if it cannot."""

from __future__ import annotations

from datetime import UTC, datetime

from providers.host import OtherPane, PathState
from tests.world_machine import Machine
from tests.world_model import BROKEN, HOLDER_UNIT, RESPONDER_UNIT, File, Server, Session, Unit


class Trouble(Machine):
    """The perturbations. `by` in the tally is the perturbation's name."""

    def find(self, agent: str) -> tuple[Server, Session] | None:
        """The agent's session, on whichever reachable server it is."""
        for server in self.servers:
            for session in server.sessions.values():
                if session.mark == agent and server.reachable and not session.vacant:
                    return server, session
        return None

    def kill_pane(self, agent: str, status: int = 137) -> None:
        """The program ends; remain-on-exit keeps the dead pane."""
        found = self.find(agent)
        if found:
            self.by = "kill_pane"
            self.end_process(found[1].pid, status)

    def kill_holder_pane(self, socket: str) -> None:
        """What keeps the holder session alive ends; the session stays, with a dead pane."""
        for server in self.servers:
            for session in server.sessions.values():
                if server.socket == socket and session.holder and not session.dead:
                    self.end_process(session.pid, 143)

    def kill_session(self, agent: str) -> None:
        found = self.find(agent)
        if found:
            self.by = "kill_session"
            self.end_session(found[0], found[1].name)

    def kill_session_named(self, socket: str, name: str) -> None:
        self.by = "kill_session_named"
        for server in self.servers:
            if server.socket == socket and server.reachable and name in server.sessions:
                self.end_session(server, name)

    def kill_server(self, socket: str) -> None:
        self.by = "kill_server"
        for server in [server for server in self.servers if server.socket == socket]:
            self.end_server(server)

    def lose_socket(self, socket: str) -> None:
        """Somebody deleted the socket file; the server and its panes live on."""
        for server in self.servers:
            if server.socket == socket:
                server.reachable = False

    def recreate_socket(self, socket: str) -> None:
        for server in self.servers:
            if server.socket == socket:
                server.reachable = True

    def delete_file(self, path: str) -> None:
        self.files.pop(path, None)

    def edit_file(self, path: str, content: str | None = None) -> None:
        """Changed by hand: still working unless `content` says otherwise. An empty file says nothing any more, so
        whoever writes into it makes a file of their own: see `replace_file`."""
        if path in self.files and self.files[path].content:
            old = self.files[path]
            self.files[path] = File(old.content + "# edited by hand\n" if content is None else content, old.mode)

    def break_file(self, path: str) -> None:
        """Damaged by hand: it still says whose it is, and does not do its work."""
        if path in self.files:
            head = self.files[path].content.split("\n")[:2]
            self.edit_file(path, "\n".join([*(line for line in head if line.startswith(("#", "<!--"))), BROKEN, ""]))

    def empty_file(self, path: str) -> None:
        """What a full disk or a crash of the machine leaves."""
        self.edit_file(path, "")

    def replace_file(self, path: str) -> None:
        """Somebody put a file of their own in its place."""
        self.edit_file(path, f"{BROKEN}\n")

    def remove_wants_link(self, unit: str) -> None:
        self.enabled.discard(unit)

    def unit_failed(self, unit: str) -> None:
        """As after a crash of what the unit ran; the pane is not part of it and stays."""
        if unit in self.units:
            self.units[unit].active, self.units[unit].sub = "failed", "failed"

    def unit_inactive(self, unit: str) -> None:
        """As after systemd forgot it (a manager that was started anew); the pane stays."""
        if unit in self.units:
            self.units[unit] = Unit()

    def stop_unit(self, unit: str) -> None:
        """A person stops a unit by hand."""
        self.by = "stop_unit"
        if unit in self.units:
            self.job("stop", unit)

    def wrong_program(self, agent: str, program: str = "bash") -> None:
        """The agent's program has ended and something else sits in its pane."""
        found = self.find(agent)
        if found and not found[1].dead:
            server, session = found
            self.by = "wrong_program"
            scope = self.procs[session.pid].scope
            self.end_process(session.pid)
            proc = self.spawn((program,), ppid=server.pid, scope=scope)
            session.pid, session.dead, session.dead_status, session.command = proc.pid, False, None, program

    def outside(self, agent: str) -> None:
        """tmux has moved its pane out of its scope, or a start that was not ours has left it in one of tmux's."""
        found = self.find(agent)
        if found and not found[1].dead:
            proc = self.procs[found[1].pid]
            proc.scope, proc.limits = f"tmux-spawn-{proc.pid:x}.scope", {}

    def unlimited(self, agent: str) -> None:
        """Somebody has taken the limits off its scope (systemctl set-property)."""
        found = self.find(agent)
        if found and not found[1].dead:
            self.procs[found[1].pid].limits = {}

    def leave_child(self, agent: str) -> None:
        """The program has started a daemon that stays in the pane's scope and outlives it."""
        found = self.find(agent)
        if found and not found[1].dead:
            self.spawn(("leftoverd",), scope=self.procs[found[1].pid].scope)

    def person(self, agent: str, program: str = "vim") -> None:
        """A person opens a pane of their own in the agent's session."""
        found = self.find(agent)
        if found:
            server, session = found
            proc = self.spawn((program,), ppid=server.pid)
            other = OtherPane(id=f"%{proc.pid}", window=1, index=len(session.others), pid=proc.pid, command=program)
            session.others = (*session.others, other)

    def folder_deleted(self, agent: str) -> None:
        """`git worktree remove` of the folder that the agent is in."""
        found = self.find(agent)
        if found and not found[1].dead:
            self.procs[found[1].pid].cwd_gone = True
            self.places[self.procs[found[1].pid].cwd] = PathState(kind="nothing")

    def foreign_session(self, socket: str, name: str, mark: str = "", fleet: str = "") -> None:
        """A session that is not the fleet's, on a server that may be; it takes the place of none. Nothing happens on
        a server whose socket is lost: see `second_server`."""
        servers = [server for server in self.servers if server.socket == socket]
        server = next((s for s in servers if s.reachable), None)
        if not servers:
            server = self.start_server(socket, held=False)
        if server is not None and name not in server.sessions:
            session = self.add_session(server, name, ("vim",))
            session.mark, session.fleet = mark, fleet

    def second_server(self, socket: str) -> None:
        """The socket is lost, and somebody starts another server in its place: the first one can not be reached by
        any means now, though its panes live."""
        self.lose_socket(socket)
        self.add_session(self.start_server(socket, held=False), "operator", ("vim",))

    def heartbeat(self, agent: str, *, age: float = 0.0, pid: int = 0, status: str = "ok") -> None:
        stamp = datetime.fromtimestamp(self.now - age, UTC).isoformat().replace("+00:00", "Z")
        self.files[f"{self.facts.run_dir}/{agent}.hb"] = File(f"ts={stamp} pid={pid} status={status}\n", 0o600)

    def turn(self, agent: str, words: str = "", *, age: float = 0.0, pid: int = 0, status: str = "ok") -> None:
        """What a hook of the agent's program writes; `pid` 0 is that of its pane."""
        found = self.find(agent)
        pid = pid or (found[1].pid if found else 1)
        stamp = datetime.fromtimestamp(self.now - age, UTC).isoformat().replace("+00:00", "Z")
        line = f"ts={stamp} pid={pid} status={status} source=hook event=Stop {words}".rstrip() + "\n"
        self.files[f"{self.facts.run_dir}/{agent}.turn"] = File(line, 0o600)

    def spoil_heartbeat(self, agent: str) -> None:
        self.files[f"{self.facts.run_dir}/{agent}.hb"] = File("\x00 not a heartbeat", 0o600)

    def start_work(self, agent: str) -> None:
        """The agent is in the middle of something (until its process ends, or `end_work`)."""
        found = self.find(agent)
        if found and not found[1].dead and self.procs[found[1].pid].agent == agent:
            self.working.add(agent)
            self.beat()

    def end_work(self, agent: str) -> None:
        self.working.discard(agent)
        self.beat()

    def pause(self, reason: str = "") -> None:
        self.files[f"{self.facts.run_dir}/PAUSED"] = File(reason + "\n")

    def resume(self) -> None:
        self.delete_file(f"{self.facts.run_dir}/PAUSED")

    def beat(self) -> None:
        """Every stub that lives and is not silent answers; a working agent's pane shows activity."""
        for proc in list(self.procs.values()):
            if not proc.agent:
                continue
            settings = self.read_env(f"{self.facts.agents_dir}/{proc.agent}.env") or {}
            busy = proc.agent in self.working
            answers = settings.get("MOSAIC_AGENT_RUNTIME") == ["stub"] and self.elapsed >= proc.ready_at
            if answers and proc.agent not in self.silent:
                self.heartbeat(proc.agent, pid=proc.pid, status="busy" if busy else "ok")
            found = self.find(proc.agent)
            if busy and found:
                found[1].activity = self.now
        self.respond()

    def advance(self, seconds: float) -> None:
        """Time passes: jobs that were queued are carried out, hanging ones run into their limit, agents answer."""
        self.now += seconds
        self.elapsed += seconds
        self.run_pending()
        self.beat()

    def run_pending(self) -> None:
        for waiting in list(self.pending):
            if waiting not in self.pending:
                continue
            unit = self.unit(waiting.unit)
            if waiting.hangs_until is None or waiting.unit not in self.hanging:
                unit.active = "inactive" if unit.active == "activating" else unit.active
                self.by = "reconciler"
                self.job(waiting.verb, waiting.unit)
            elif self.now >= waiting.hangs_until:
                self.pending.remove(waiting)
                unit.active, unit.sub, unit.job = "failed", "failed", ""

    def jump(self, seconds: float) -> None:
        """The wall clock is set; no time has passed."""
        self.now += seconds

    def reboot(self) -> None:
        """Files and what is enabled stay; all else ends. With linger, systemd starts what is enabled."""
        self.by = "reboot"
        self.pending = []
        for server in list(self.servers):
            self.end_server(server)
        for pid in list(self.procs):
            self.end_process(pid)
        self.units, self.fragments, self.started_as = {}, {}, {}
        self.boots += 1
        self.now += 30.0
        if self.linger:
            for unit in sorted(self.enabled, key=lambda name: (name != HOLDER_UNIT, name)):
                if unit.startswith("mosaic-agent@") or unit in (HOLDER_UNIT, RESPONDER_UNIT):
                    self.job("start", unit)
        self.beat()
