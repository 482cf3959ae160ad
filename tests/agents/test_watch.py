"""`mosaic agent watch` and `attach` on real tmux: what a person sees, and what the agent does not."""

from __future__ import annotations

import re
import shlex
import sys
from itertools import pairwise

import pytest

from tests.agents.terminals import SOCKET as PEOPLE
from tests.agents.terminals import Seat
from tests.hosts.waiting import eventually
from tests.scenarios.fleet import SOCKET, Fleet

TRACES = (
    "#{session_name}", "#{session_attached}", "#{session_attached_list}", "#{session_activity}",
    "#{session_last_attached}", "#{window_width}x#{window_height}", "#{window_activity}", "#{pane_in_mode}",
)  # fmt: skip


def traces(fleet: Fleet, agent: str) -> str:
    """All that tmux could tell of a viewer."""
    clients = fleet.tmux("list-clients", "-F", "#{client_tty}")
    return clients + fleet.tmux("display-message", "-p", "-t", f"={agent}:", "|".join(TRACES))


def test_several_people_watch_and_leave_no_trace(fleet: Fleet) -> None:
    fleet.type("coder0", "hello there")
    fleet.shows("coder0", "coder0> hello there")
    before, pid = traces(fleet, "coder0"), fleet.pids()["coder0"]
    small = Seat(fleet, "small", "agent", "watch", "coder0")
    large = Seat(fleet, "large", "agent", "watch", "coder0", columns=200, rows=60)
    tiny = Seat(fleet, "tiny", "agent", "watch", "coder0", columns=20, rows=5)
    for seat in (small, large):
        screen = seat.shows("coder0> hello there", " coder0 | available", "q leaves")
        assert screen.rstrip("\n").splitlines()[-1].startswith(" coder0 | available")
    tiny.shows("coder0 | available")
    assert "heartbeat" in large.shows("heartbeat")
    assert "arrows move" not in large.screen()
    assert traces(fleet, "coder0") == before

    small.press("x", "Enter", "C-u", "Escape", "Space")
    fleet.type("coder0", "second")
    for seat in (small, large):
        seat.shows("coder0> second")
    plain = fleet.cli("agent", "watch", "coder0", "--once")
    said = ["stub coder0 is ready", "hello there", "stub coder0> hello there", "second", "stub coder0> second"]
    assert (plain.code, plain.out.split("\n")[:-1], plain.err) == (0, said, "")

    small.press("q")
    large.press("C-c")
    tiny.press("Q")
    for seat in (small, large, tiny):
        seat.left(0)
    assert fleet.pids()["coder0"] == pid


def test_a_viewer_moves_about_and_is_resized(fleet: Fleet) -> None:
    wide = "first " + "." * 180 + " last"
    fleet.type("coder1", wide)
    fleet.shows("coder1", "last")
    seat = Seat(fleet, "mover", "agent", "watch", "coder1")
    assert " last" not in seat.shows("coder1> first", "arrows move")
    for _ in range(15):
        seat.press("Right")
    assert "first" not in seat.shows(" last")
    seat.press("Home")
    seat.shows("coder1> first")
    seat.press("g", "l", "h", "k", "j", "G")
    seat.resize(200, 60)
    screen = seat.shows("coder1> first", " last")
    assert "arrows move" not in screen
    seat.resize(80, 24)
    seat.shows("arrows move")
    seat.press("q")
    seat.left(0)


def test_what_a_program_draws_is_seen_as_it_is_and_harms_nobody(fleet: Fleet) -> None:
    fleet.shows("canvas", "fullscreen is ready")
    fleet.type("canvas", "put 3 red line")
    fleet.type("canvas", "box")
    fleet.type("canvas", "link")
    fleet.shows("canvas", "done")
    seat = Seat(fleet, "art", "agent", "watch", "canvas", columns=100, rows=40)
    screen = seat.shows("fullscreen is ready", "red line", "┌───┐", "│Yes│", "└───┘", "named done")
    assert "lqqq" not in screen
    styled = seat.styled()
    assert "\x1b[33mred line" in styled
    assert "file:///" not in styled
    title = fleet.host.tmux(PEOPLE, "display-message", "-p", "-t", "=art:", "#{pane_title}").stdout
    assert "owned" not in title
    assert fleet.host.tmux(PEOPLE, "list-buffers", check=False).stdout == ""
    plain = Seat(fleet, "grey", "agent", "watch", "canvas", columns=100, rows=40, env="NO_COLOR=1")
    plain.shows("red line")
    assert "\x1b[33m" not in plain.styled()
    for one in (seat, plain):
        one.press("q")
        one.left(0)


@pytest.mark.parametrize(("signal", "code"), [("TERM", 143), ("HUP", 129), ("QUIT", 131)])
def test_a_signal_gives_the_terminal_back(fleet: Fleet, signal: str, code: int) -> None:
    seat = Seat(fleet, f"signal-{signal}", "agent", "watch", "coder1")
    seat.shows("coder1 | available")
    fleet.kill(seat.pid(), signal=signal)
    seat.left(code)


def test_a_viewer_is_told_of_the_end(fleet: Fleet) -> None:
    dies = Seat(fleet, "dies", "agent", "watch", "coder2")
    goes = Seat(fleet, "goes", "agent", "watch", "coder3")
    dies.shows("coder2 | available")
    goes.shows("coder3 | available")
    fleet.type("coder2", "/crash 7")
    screen = dies.left(1)
    assert "error: the program of agent coder2 has ended" in screen
    assert "help: mosaic agent tail coder2" in screen
    fleet.tmux("kill-session", "-t", "=coder3")
    assert "error: agent coder3 does not run: its pane in the session coder3" in goes.left(1)
    again = fleet.cli("agent", "watch", "coder3", "--once")
    assert (again.code, again.out) == (1, "")
    assert "help: run: reconcile" in again.err
    late = fleet.cli("agent", "watch", "coder2")
    assert late.code == 1
    assert "/crash 7" in late.out
    fleet.converge()


def test_off_a_terminal_each_change_is_printed_once(fleet: Fleet) -> None:
    fleet.type("team.lead", "the token is: ghp_" + "a1B2" * 9)
    fleet.shows("team.lead", "team.lead> the token")
    argv = [sys.executable, "-m", "reconciler.commands", "agent", "watch", "lead"]
    out = f"{fleet.host.home}/watched"
    process = fleet.start(["sh", "-c", f"{shlex.join(argv)} >{out}"])
    eventually(lambda: fleet.exists(out) and "team.lead> the token" in fleet.read(out), timeout=60, what="a screen")
    fleet.type("team.lead", "more")
    eventually(lambda: "team.lead> more" in fleet.read(out), timeout=60, what="the next screen")
    fleet.type("team.lead", "/crash 3")
    said = process.communicate(timeout=60)[1]
    printed = fleet.read(out)
    assert printed.startswith("--- team.lead 2")
    screens = [part.partition("\n")[2] for part in printed.split("--- team.lead 2")[1:]]
    assert len(screens) >= 3
    assert all(one != before for before, one in pairwise(screens))
    assert "/crash 3" in printed
    assert "ghp_" not in printed
    assert process.returncode == 1
    assert "error: the program of agent team.lead has ended" in said
    fleet.converge()


def test_one_person_types(fleet: Fleet) -> None:
    seat = Seat(fleet, "typist", "agent", "attach", "coder1")
    eventually(lambda: fleet.tmux("list-clients", "-t", "=coder1", "-F", "#{client_width}"), timeout=60)
    seat.press("-l", "typed by hand")
    seat.press("Enter")
    fleet.shows("coder1", "coder1> typed by hand")
    assert fleet.tmux("display-message", "-p", "-t", "=coder1:", "#{window_width}x#{window_height}") == "200x50\n"

    other = Seat(fleet, "other", "agent", "attach", "coder1")
    screen = other.shows("attach as well?")
    assert "warning: 1 terminal attached to agent coder1 already: /dev/pts/" in " ".join(screen.split())
    other.press("n", "Enter")
    other.left(0)
    third = Seat(fleet, "third", "agent", "attach", "coder1", "--yes")
    eventually(lambda: fleet.tmux("list-clients", "-t", "=coder1").count("\n") == 2, timeout=60, what="two clients")
    for one in (seat, third):
        one.press("C-b", "d")
        one.left(0)


def messages(fleet: Fleet, session: str) -> str:
    """What the server has shown to its clients, as it remembers it; "" while none is attached."""
    clients = fleet.tmux("list-clients", "-t", f"={session}", "-F", "#{client_name}").split()
    return fleet.tmux("show-messages", "-t", clients[0]) if clients else ""


def test_attach_says_how_to_leave(fleet: Fleet) -> None:
    """In the last row of the screen, with the keys that are really bound. The line before it is not asserted: tmux may
    throw away what the terminal has not read yet."""
    fleet.tmux("set-option", "-g", "prefix", "M-a")
    fleet.tmux("bind-key", "-T", "prefix", "M-x", "detach-client")
    fleet.tmux("unbind-key", "-T", "prefix", "d")
    told = "to leave, press Alt-A, then Alt-X; coder2 goes on"
    seat = Seat(fleet, "guest", "agent", "attach", "coder2")
    eventually(lambda: f"message: {told}" in messages(fleet, "coder2"), timeout=60, what="the message")
    seat.press("M-a", "M-x")
    seat.left(0)
    fleet.tmux("unbind-key", "-T", "prefix", "M-x")
    alone = Seat(fleet, "alone", "agent", "attach", "coder2")
    eventually(lambda: "no key is bound to it" in messages(fleet, "coder2"), timeout=60, what="the other message")
    fleet.tmux("detach-client", "-s", "=coder2")
    alone.left(0)
    fleet.tmux("set-option", "-g", "prefix", "C-b")
    fleet.tmux("bind-key", "-T", "prefix", "d", "detach-client")


def test_attach_refuses_what_makes_no_sense(fleet: Fleet) -> None:
    off = fleet.cli("agent", "attach", "coder0")
    assert off.code == 64
    assert "mosaic agent send coder0" in off.err
    assert fleet.cli("agent", "attach", "codre0").code == 4
    # A terminal that is itself a pane of the fleet's server.
    script = f"cd /; {sys.executable} -m reconciler.commands agent attach coder0; echo left $?; exec cat"
    path = f"PYTHONPATH={fleet.env()['PYTHONPATH']}"
    fleet.tmux("new-session", "-d", "-s", "inside", "-e", path, "sh", "-c", script)
    eventually(lambda: "left" in fleet.tmux("capture-pane", "-p", "-t", "=inside:"), timeout=60, what="its end")
    shown = " ".join(fleet.tmux("capture-pane", "-p", "-J", "-t", "=inside:").split())
    assert "left 5" in shown
    named = re.search(r"tmux switch-client -t '([^']+)'", shown)
    assert named is not None, shown
    there = fleet.tmux("display-message", "-p", "-t", named[1], "#{session_name} #{@mosaic_pane}")
    assert there == "coder0 coder0\n"
    fleet.tmux("kill-session", "-t", "=inside")


def test_a_server_that_goes_is_said(fleet: Fleet) -> None:
    """The last test of this file: nothing runs after it."""
    seat = Seat(fleet, "last", "agent", "watch", "coder0")
    seat.shows("coder0 | available")
    fleet.host.tmux(SOCKET, "kill-server")
    assert "error: there is no tmux server" in seat.left(69)
    for words in (("agent", "watch", "coder0", "--once"), ("agent", "tail", "coder0")):
        run = fleet.cli(*words)
        assert run.code == 69
        assert "help: run: reconcile" in run.err
