"""tmux as it is and as it should not be, on sockets of our own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from providers.host import Pane
from providers.machine.local_host import LocalHost
from providers.steps import CaptureDead, KillPane, RecreateSocket
from tests.hosts.waiting import eventually
from tests.machine.inside import carry_out, command, tmux


@contextmanager
def _server(socket: str) -> Iterator[None]:
    tmux(socket, "-f", "/dev/null", "new-session", "-d", "-s", "holder", "-x", "200", "-y", "50", "sleep 1000")
    tmux(socket, "set-option", "-s", "exit-empty", "off")
    try:
        yield
    finally:
        tmux(socket, "kill-server", check=False)


def _session(socket: str, name: str, *program: str, mark: str = "") -> None:
    argv = ["new-session", "-d", "-s", name, "-x", "200", "-y", "50", *program]
    argv += [";", "set-option", "-w", "-t", f"={name}:", "remain-on-exit", "on"]
    if mark:
        argv += [";", "set-option", "-p", "-t", f"={name}:", "@mosaic_pane", mark]
    tmux(socket, *argv)


def _panes(host: LocalHost, socket: str) -> dict[str, Pane]:
    server = host.look().tmux(socket)
    assert server.state == "up"
    return {pane.session: pane for pane in server.panes}


def _kill(host: LocalHost, socket: str, name: str, agent: str = "") -> KillPane:
    """Of the first pane of a session, whose agent has its name if nothing is said."""
    pane = _panes(host, socket).get(name)
    return KillPane(socket=socket, pane=pane.id if pane else "%99999", agent=agent or name, pid=pane.pid if pane else 0)


def check_sessions_as_tmux_has_them(host: LocalHost) -> None:
    with _server("many"):
        for number in range(60):
            _session("many", f"agent{number}", "sleep", "1000", mark=f"agent{number}")
        seen = _panes(host, "many")
        assert set(seen) == {"holder", *(f"agent{number}" for number in range(60))}
        theirs = dict(
            line.split() for line in tmux("many", "list-panes", "-a", "-F", "#{session_name} #{pane_pid}").splitlines()
        )
        assert {name: str(pane.pid) for name, pane in seen.items()} == theirs
        pane = seen["agent7"]
        assert (pane.mark, pane.command, pane.dead, pane.dead_status, pane.panes) == ("agent7", "sleep", False, None, 1)
        assert seen["holder"].mark == ""
        assert abs(time.time() - pane.created) < 60
        assert pane.activity >= pane.created
        begun = host.look(["many"])
        assert {pane.session for pane in begun.tmux("many").panes} == set(seen)
        del begun
        host.look(["many"])  # and never asked for
        assert not [p for p in host.look().processes().values() if p.comm == "tmux: client" or p.state == "Z"]


def check_names_that_are_prefixes(host: LocalHost) -> None:
    with _server("prefix"):
        for name in ("clau", "claude", "claude-2"):
            _session("prefix", name, "sleep", "1000", mark=name)
        _session("prefix", "cl", "sleep", "1000", mark="somebody-else")
        steps = [(name, _kill(host, "prefix", name)) for name in ("claude", "cla", "c", "cl")]
        results = carry_out(host, steps)
        assert set(_panes(host, "prefix")) == {"holder", "clau", "claude-2", "cl"}
        assert (results["claude"].ok, results["claude"].changed) == (True, True)
        assert all(results[name].ok and not results[name].changed for name in ("cla", "c"))
        assert not results["cl"].ok
        assert "mark" in str(results["cl"].error)


def check_titles_and_marks_with_separators(host: LocalHost) -> None:
    local = LocalHost({**os.environ, "LANG": "C", "LC_ALL": "C"}, host.facts)
    title = "⠐ é:@t:§ | @p: a:b; %s ##"
    with _server("titles"):
        _session("titles", "a|b c", "printf '\\033]2;%s\\007' \"$0\"; exec sleep 1000".replace("$0", title))
        _session("titles", "odd", "sleep", "1000", mark="x:y")
        eventually(lambda: _panes(local, "titles")["a|b c"].title == title, what="the title")
        assert _panes(local, "titles")["a|b c"].command == "sleep"
        assert _panes(local, "titles")["odd"].mark == "", "no mark of ours has a colon"


def check_several_panes_give_the_first(host: LocalHost) -> None:
    with _server("split"):
        _session("split", "one", "sleep", "1000")
        first = _panes(host, "split")["one"].pid
        tmux("split", "split-window", "-b", "-t", "=one:", "sleep", "2000")
        tmux("split", "new-window", "-t", "=one:", "sleep", "3000")
        pane = _panes(host, "split")["one"]
        assert pane.panes == 3
        lowest = tmux("split", "list-panes", "-s", "-t", "=one:", "-F", "#{window_index}.#{pane_index} #{pane_pid}")
        assert pane.pid == int(sorted(lowest.splitlines())[0].split()[1])
        assert pane.pid != first


def check_dead_panes_and_their_last_lines(host: LocalHost) -> None:
    with _server("dead"):
        for number in range(80):
            _session(
                "dead", f"d{number}", f"seq 1 200; echo last é {number}; sleep 0.2; exit {number}", mark=f"d{number}"
            )
        # The little sleep: of a program that ends at once, tmux 3.3a now and then loses all it printed.
        _session("dead", "lives", "sleep", "1000", mark="lives")
        eventually(lambda: sum(pane.dead for pane in _panes(host, "dead").values()) == 80, what="80 dead panes")
        assert _panes(host, "dead")["d3"].dead_status == 3
        ids = {name: pane.id for name, pane in _panes(host, "dead").items()}
        batch = [(f"d{n}", CaptureDead(socket="dead", pane=ids[f"d{n}"], agent=f"d{n}", lines=4)) for n in range(80)]
        batch.insert(40, ("gone", CaptureDead(socket="dead", pane="%99999", agent="gone", lines=4)))
        batch += [
            ("lives", CaptureDead(socket="dead", pane=ids["lives"], agent="lives", lines=4)),
            ("other", CaptureDead(socket="dead", pane=ids["d1"], agent="somebody", lines=4)),
            ("no server", CaptureDead(socket="nobody", pane=ids["d1"], agent="d1", lines=4)),
            ("unsafe", CaptureDead(socket="dead", pane=ids["d1"], agent="#{x}';kill-server", lines=4)),
        ]
        results = carry_out(host, batch)
        for number in range(80):
            lines = results[f"d{number}"].output.splitlines()
            assert len(lines) <= 4
            assert f"last é {number}" in lines, lines
        assert all(results[name].ok and results[name].output == "" for name in ("gone", "lives", "other", "no server"))
        assert not results["unsafe"].ok


def check_a_server_without_sessions_is_up(host: LocalHost) -> None:
    with _server("empty"):
        tmux("empty", "kill-session", "-t", "=holder")
        server = host.look().tmux("empty")
        assert (server.state, server.panes) == ("up", ())
    eventually(lambda: host.look().tmux("empty").state == "down", what="the server's end")


def check_the_last_kill_ends_the_server(host: LocalHost) -> None:
    tmux("last", "-f", "/dev/null", "new-session", "-d", "-s", "only", "sleep 1000")
    tmux("last", "set-option", "-p", "-t", "=only:", "@mosaic_pane", "only")
    step = _kill(host, "last", "only")
    assert carry_out(host, [("kill", step)])["kill"].ok
    eventually(lambda: host.look().tmux("last").state == "down", what="the server's end")
    again = carry_out(host, [("kill", step)])["kill"]
    assert (again.ok, again.changed) == (True, False)


def check_a_lost_socket_comes_back(host: LocalHost) -> None:
    path = f"/tmp/tmux-{os.getuid()}/lost"
    with _server("lost-2"), _server("lost"):
        _session("lost", "agent", "sleep", "1000", mark="agent")
        pid = _panes(host, "lost")["agent"].pid
        step = _kill(host, "lost", "agent")
        for spoil in ("deleted", "replaced"):
            os.unlink(path)
            if spoil == "replaced":
                os.mkfifo(path)
                os.unlink(path)
                command("python3", "-c", f"import socket; socket.socket(socket.AF_UNIX).bind({path!r})")
            server = host.look().tmux("lost")
            assert server.state == "lost", spoil
            assert host.look().tmux("lost-2").state == "up"
            assert host.look().tmux("los").state == "down"
            kill = carry_out(host, [("kill", step)])["kill"]
            assert not kill.ok
            assert "lost its socket" in str(kill.error)
            wrong = RecreateSocket(pid=server.pid, start_ticks=server.start_ticks + 1)
            assert not carry_out(host, [("wrong", wrong)])["wrong"].ok
            right = RecreateSocket(pid=server.pid, start_ticks=server.start_ticks)
            assert carry_out(host, [("right", right)])["right"].ok
            eventually(lambda: host.look().tmux("lost").state == "up", what="the socket")
            assert _panes(host, "lost")["agent"].pid == pid


def check_a_killed_server_is_down(host: LocalHost) -> None:
    with _server("killed"):
        pid = int(tmux("killed", "display-message", "-p", "#{pid}"))
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: host.look().tmux("killed").state == "down", what="a server that is down")
        assert os.path.exists(f"/tmp/tmux-{os.getuid()}/killed"), "its socket file is still there"
        assert not carry_out(host, [("gone", RecreateSocket(pid=pid, start_ticks=1))])["gone"].ok


def check_a_surrounding_tmux_does_not_matter(host: LocalHost) -> None:
    with _server("outer"), _server("inner"):
        os.environ["TMUX"] = f"/tmp/tmux-{os.getuid()}/outer,1,0"
        os.environ["TMUX_TMPDIR"] = "/nowhere"
        try:
            _session("inner", "agent", "sleep", "1000", mark="agent")
            assert "agent" in _panes(LocalHost(), "inner")
            assert LocalHost().look().tmux("").state == "down"
        finally:
            del os.environ["TMUX"], os.environ["TMUX_TMPDIR"]
        assert host.look().tmux("").state == "down"
