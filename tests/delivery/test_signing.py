"""In whose name a message is sent: by values, and on a real host with real panes."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import replace

import pytest

from providers.processes.caller import ancestors, calling_agent, scope_agent
from reconciler.delivery.signing import sign
from reconciler.errors import Refused, Usage
from specs.compiled import Peer
from tests.hosts.fixtures import RealHosts
from tests.hosts.private import PrivateHost
from tests.launch.bench import make_agent, make_fleet
from tests.scenarios.fleet import Fleet, stub

FAR = Peer(name="far0", agent_class="code", runtime="stub", state="running", host="far")
FLEET = replace(make_fleet(make_agent("coder0", alias="Ada"), make_agent("coder1")), peers=(FAR,))
OWN = f"{FLEET.host}:coder0"
SCOPE = "/user.slice/user@0.service/mosaic.slice/mosaic-panes.slice/mosaic-pane-a.b:1f2e.scope"


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        (f"0::{SCOPE}\n", "a.b"),
        (f"0::{SCOPE}/inner/more\n", "a.b"),
        (f"12:cpu:/x\n1:name=systemd:{SCOPE}\n0::/\n", "a.b"),  # systemd's own hierarchy is the older one
        (f"1:name=systemd:{SCOPE}\n0::/user.slice/session-1.scope\n", ""),  # the unified line decides
        (f"1:name=systemd:/docker/1\n0::{SCOPE}\n", "a.b"),
        ("0::/user.slice/user@0.service/mosaic-tmux-holder.service\n", ""),
        ("0::/user.slice/tmux-spawn-1.scope\n", ""),
        ("0::/mosaic-pane-a:1\n", ""),
        ("", ""),
    ],
)
def test_the_scope_names_the_agent(text: str, agent: str) -> None:
    assert scope_agent(text) == agent


def test_nobody_is_above_the_first_process() -> None:
    assert os.getpid() in (line := tuple(ancestors(os.getpid())))
    assert os.getppid() in (*line, 1, 0)
    assert tuple(ancestors(1)) == ()
    assert calling_agent({}, 2**22 + 1) == ""  # nobody has that number


def test_a_person_signs_as_they_like() -> None:
    assert sign(FLEET, None, "").sender == f"{FLEET.host}:operator"
    assert sign(FLEET, "other:coder1", "") == replace(sign(FLEET, None, ""), sender="other:coder1")
    with pytest.raises(Usage):
        sign(FLEET, "two words", "")


@pytest.mark.parametrize("label", [None, OWN, "coder0", "Ada", f"{FLEET.host}:ada"])
def test_an_agent_signs_as_itself(label: str | None) -> None:
    found = sign(FLEET, label, "coder0")
    assert (found.sender, found.source) == (OWN, "agent")


@pytest.mark.parametrize("label", ["operator", "x:operator", "x:mosaic", "coder1", "x:coder1", "far:far0", "x:coder0"])
def test_an_agent_never_signs_as_somebody_else(label: str) -> None:
    with pytest.raises(Refused, match="agent coder0, which cannot sign as"):
        sign(FLEET, label, "coder0")


def test_another_label_stands_behind_the_agents_name() -> None:
    assert sign(FLEET, "nightly", "coder0").sender == f"{OWN}/nightly"
    with pytest.raises(Usage):
        sign(FLEET, "n" * 99, "coder0")


# --- on a host ---


@pytest.fixture(scope="module")
def fleet(real_hosts: RealHosts) -> Iterator[Fleet]:
    """Two stubs, and `sh`: an agent whose program is a shell that does what it is told."""
    with real_hosts(PrivateHost) as host:
        made = Fleet(host)
        made.roster["runtimes"] = {"shell": {"command": ["/bin/sh"], "process_names": ["sh"]}}
        made.agents = {"a": stub(), "b": stub(), "s": {"runtime": "shell", "class": "worker"}}
        made.commit()
        made.converge()
        yield made


def says(fleet: Fleet, where: str, before: str, after: str = "", *, label: str = "", fails: str = "") -> str:
    """Who b's message is from, of a command that is typed at a pane."""
    mark = f"m{len(fleet.events())}x{os.urandom(4).hex()}"
    send = f'"$MOSAIC_HOME"/fleet/bin/mosaic agent send b --fleet canary -m {mark} {label}'
    home = f"MOSAIC_HOME={shlex.quote(fleet.mosaic)}; export MOSAIC_HOME"
    done = f"{fleet.host.home}/{mark}"
    line = f"{home}; {before} {send} {after} >{done}.out 2>&1; echo over >{done}.over"
    fleet.tmux("send-keys", "-l", "-t", where, line, ";", "send-keys", "-t", where, "Enter")
    if fails:
        fleet.wait(lambda: fleet.exists(f"{done}.over"), f"the end of {before}")
        assert fails in fleet.read(f"{done}.out")
        return ""

    def arrived() -> list[str]:
        screen = fleet.tmux("capture-pane", "-p", "-J", "-S", "-400", "-t", "=b:").splitlines()
        return [row for row in screen if row.startswith("stub b> ") and row.endswith(mark)]

    fleet.wait(arrived, f"the message {mark} by {before}", timeout=90)
    return arrived()[0].removeprefix("stub b> [").partition(" -> ")[0].partition(":")[2]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("setsid", "</dev/null &"),
        ("nohup", "&"),
        ("env -u TMUX -u TMUX_PANE -u MOSAIC_AGENT_NAME -u MOSAIC_AGENT_PID", ""),
        ("env -u TMUX_PANE setsid -f", ""),
        ("systemd-run --user --scope --quiet", ""),
    ],
)
def test_what_an_agent_begins_signs_as_the_agent(fleet: Fleet, before: str, after: str) -> None:
    assert says(fleet, "=s:", before, after) == "s"


def test_the_log_says_that_an_agent_sent_it(fleet: Fleet) -> None:
    assert says(fleet, "=s:", "") == "s"
    event = [one for one in fleet.events() if one["type"] == "message"][-1]
    assert (event["source"], event["sender"].partition(":")[2]) == ("agent", "s")


def test_an_agent_that_calls_itself_somebody_else_is_refused(fleet: Fleet) -> None:
    says(fleet, "=s:", "", label="--source-label x:operator", fails="agent s, which cannot sign as x:operator")
    says(fleet, "=s:", "", label="--source-label a", fails="cannot sign as a")
    assert says(fleet, "=s:", "", label="--source-label nightly") == "s/nightly"


def test_a_person_is_the_operator_wherever_they_type(fleet: Fleet) -> None:
    """In a pane of their own that stands in an agent's session, in a session of the same server, and where the
    variables of an agent have been inherited."""
    fleet.tmux("split-window", "-d", "-t", "=s:", "/bin/sh")
    fleet.tmux("new-session", "-d", "-s", "person", "/bin/sh")
    panes = fleet.tmux("list-panes", "-s", "-t", "=s:", "-F", "#{pane_id} #{@mosaic_pane}").splitlines()
    (split,) = [row.split()[0] for row in panes if len(row.split()) == 1]
    try:
        assert says(fleet, split, "") == "operator"
        assert says(fleet, "=person:", "") == "operator"
        assert says(fleet, "=person:", "MOSAIC_AGENT_NAME=a MOSAIC_AGENT_PID=1") == "operator"
    finally:
        fleet.tmux("kill-pane", "-t", split, ";", "kill-session", "-t", "=person")
    plain = fleet.cli("agent", "send", "b", "-m", "from outside")
    assert plain.code == 0
    event = [one for one in fleet.events() if one["type"] == "message"][-1]
    assert (event["source"], event["sender"].partition(":")[2]) == ("operator", "operator")


def test_a_pane_outside_its_scope_is_known_by_its_mark(fleet: Fleet) -> None:
    """As on systems whose tmux moves a new pane into a scope of its own."""
    fleet.tmux(
        "new-session", "-d", "-s", "stray", "/bin/sh", ";", "set-option", "-p", "-t", "=stray:", "@mosaic_pane", "s"
    )
    try:
        assert says(fleet, "=stray:", "") == "s"
        assert says(fleet, "=stray:", "env -u TMUX -u TMUX_PANE") == "s"
        assert says(fleet, "=stray:", "", label="--source-label operator", fails="cannot sign as operator") == ""
    finally:
        fleet.tmux("kill-session", "-t", "=stray")


def test_what_waits_in_the_outbox_and_other_commands_have_the_agents_name(fleet: Fleet) -> None:
    home = f"MOSAIC_HOME={shlex.quote(fleet.mosaic)}; export MOSAIC_HOME"
    fleet.type("a", "/busy")
    fleet.type("s", f'{home}; "$MOSAIC_HOME"/fleet/bin/mosaic agent send a --fleet canary --when available -m later')
    fleet.wait(lambda: fleet.cli("agent", "outbox", "-o", "json").document["messages"], "the message")
    (kept,) = fleet.cli("agent", "outbox", "-o", "json").document["messages"]
    assert kept["sender"].partition(":")[2] == "s"
    fleet.cli("agent", "outbox", "--cancel", kept["id"])
    fleet.type("s", f'{home}; "$MOSAIC_HOME"/fleet/bin/mosaic fleet pause --reason tired')
    fleet.wait(lambda: fleet.exists(f"{fleet.mosaic}/fleet/run/PAUSED"), "the pause")
    try:
        assert "by=s\n" in fleet.read(f"{fleet.mosaic}/fleet/run/PAUSED")
    finally:
        fleet.cli("fleet", "resume")
