"""The whole way on a booted machine: from nothing to a research system, which its operator makes their own, which is
upgraded under its agents, and which is rebooted. Each test goes on where the one before it has ended."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.booted.installed import Installed
from tests.booted.tenant import SOON, Tenant
from tests.hosts import Machine, eventually

SEATS = {
    "lead-researcher": "lead-researcher",
    "orchestrator": "orchestrator",
    "enhancer": "enhancer",
    "researcher0": "researcher",
    "researcher1": "researcher",
    "data-analyst0": "data-analyst",
    "data-scientist0": "data-scientist",
    "market-analyst0": "market-analyst",
    "writer0": "documentation",
    "reviewer0": "review",
}
MISSION = "Find out why the lake turns green | every summer, and say how sure that is."
# What the operator writes on this host. The framework ships a first draft of two of them.
OWN = {
    "SOUL.md": "# Who we are\r\n\nPlain people; no trailing newline",
    "USER.md": "# Whom we work for\n\nA town on a lake: Grünsee.\n",
    "USER.local.md": "Numbers in metric units.\n\n\n",
    "SOUL.local.md": "\tDry humour is welcome.\n",
    "guides/boats.local.md": "Not a guide of the framework.\n",
}
LOCKED = 75
LOOP = "mosaic-reconcile-watch.service"
RULE = "- Asks the town before it goes out on the water."
EDITED_BY_HAND = "\nEvery agent may leave early on Fridays.\n"
ADDED_BY_HAND = "\n- Samples are labelled with date and depth.\n"
# The next version: what it changes in the files of this one.
LAW = "**C14. Label every sample.**"
NEW_MANDATE = "0. **Begin with the oldest source.**"
NEW_BOUNDARY = "- Does not cite what it has not opened."
NEW_ANALYSIS = "0. **Plot before you compute.**"
LIBRARY = "specs/library"
NEXT: dict[str, tuple[str, ...]] = {
    "providers/shipped/release.py": ('VERSION = "0.1.0"', 'VERSION = "0.2.0"'),
    f"{LIBRARY}/framework/CONSTITUTION.md": ("\n## If you were started", f"\n{LAW}\n\n## If you were started"),
    f"{LIBRARY}/framework/guides/research.md": ("# ", "# Rewritten: "),
    f"{LIBRARY}/personas/researcher.md": (
        *("\n## Mandate\n", f"\n## Mandate\n\n{NEW_MANDATE}\n"),
        *("\n## Boundaries\n", f"\n## Boundaries\n\n{NEW_BOUNDARY}\n"),
    ),
    f"{LIBRARY}/personas/data-analyst.md": ("\n## Mandate\n", f"\n## Mandate\n\n{NEW_ANALYSIS}\n"),
}


@dataclass
class Ann(Tenant):
    """A user with a package of her own."""

    declared: dict[str, str] = field(default_factory=lambda: dict(SEATS))
    package: Installed | None = None

    @property
    def home(self) -> str:
        return f"{self.machine.home(self.user)}/.config/mosaic"

    def write(self, path: str, text: str) -> None:
        argv = ["sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1"', "sh", path]
        self.run(argv, input=text)

    def read(self, path: str) -> str:
        """With every byte as it is."""
        return self.machine.path_outside(path).read_bytes().decode()

    def git(self, *argv: str) -> str:
        return self.run(["git", "-C", self.repo, *argv]).stdout

    def save(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def by_hand(self) -> str:
        """What a run by hand says, once the resident loop is between two looks."""

        def ended() -> subprocess.CompletedProcess[str] | None:
            done = self.run([self.bin / "reconcile", self.repo], check=False)
            return done if done.returncode != LOCKED else None

        done = eventually(ended, timeout=SOON, what="the lock")
        assert done is not None
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def contract(self, agent: str) -> str:
        return self.read(f"{self.home}/fleet/agents/{agent}.d/contract.md")

    def missions(self) -> Mapping[str, str]:
        """What `fleet ps` says of each agent: whether what it was given is `current` or `older`."""
        rows = json.loads(self.mosaic("fleet", "ps", "-o", "json").stdout)["agents"]
        return {row["name"]: (row["mission"] or {}).get("state", "") for row in rows if row["kind"] == "agent"}

    def conversations(self) -> Mapping[str, str]:
        """Each stub numbers its own: the same number is the same conversation."""
        beats = {name: self.read(f"{self.home}/fleet/run/{name}.hb") for name in self.declared}
        return {name: text.rpartition("session=")[2].strip() for name, text in beats.items()}

    def own_files(self) -> Mapping[str, str]:
        return {name: self.read(f"{self.home}/{name}") for name in OWN}

    def is_told(self, agent: str) -> None:
        """The law, who it is, what for, and how to reach the others are in the one text of an agent, and are what is on
        this host now."""
        text = self.contract(agent)
        for name in ("CONSTITUTION.md", "AGENTS.md", "TOOLS.md"):
            assert self.read(f"{self.home}/{name}").strip("\n") in text, (agent, name)
        mission = self.read(f"{self.home}/fleet/NORTH_STAR.md").partition("\n")[2]
        assert mission.strip("\n") in text, agent
        assert f"<!-- source: contract of class {self.declared[agent]} -->" in text
        assert "## Boundaries" in text
        for peer in sorted(set(self.declared) - {agent}):
            assert f"`mosaic agent send {peer} --source-label machine:{agent} --verify" in text, (agent, peer)


@pytest.fixture(scope="module")
def ann(machine: Machine) -> Ann:
    """Logged in, with the package and nothing else."""
    machine.useradd("ann")
    package = Installed.create(machine, "ann")
    user = Ann(machine, "ann", bin=Path(package.bin), package=package)
    user.start_manager()
    user.run(["git", "config", "--global", "user.name", "Ann"])
    user.run(["git", "config", "--global", "user.email", "ann@example.invalid"])
    return user


def all_are(ann: Ann, state: str) -> bool:
    return set(ann.missions().values()) == {state}


def test_from_nothing_to_a_research_system(ann: Ann) -> None:
    said = ann.mosaic("fleet", "provision", "--type", "research", "--default-runtime", "stub", "--fleet", ann.repo)
    assert "Provision research: 10 agents" in said.stdout
    assert "Converged" in ann.mosaic("fleet", "install", "--watch", ann.repo).stdout
    before = ann.up()
    for agent in SEATS:
        ann.is_told(agent)
    assert all_are(ann, "current")
    assert "lead-researcher" in ann.mosaic("fleet", "org", ann.repo).stdout
    assert "No changes" in ann.by_hand()
    assert ann.up() == before


def test_the_operator_makes_it_their_own(ann: Ann) -> None:
    """A mission, a persona, and what is theirs on this host: nobody is disturbed, and everybody is known to be behind
    until a new conversation begins."""
    before, conversations = ann.up(), ann.conversations()
    for name, text in OWN.items():
        ann.write(f"{ann.home}/{name}", text)
    star = ann.read(f"{ann.repo}/NORTH_STAR.yaml").rpartition("mission:")[0]
    ann.write(f"{ann.repo}/NORTH_STAR.yaml", f"{star}mission: {json.dumps(MISSION)}\n")
    ann.mosaic("fleet", "persona", "customise", "researcher", "--section", "Boundaries", "--fleet", ann.repo)
    persona = ann.read(f"{ann.repo}/roles/researcher.md")
    ann.write(f"{ann.repo}/roles/researcher.md", f"{persona}{RULE}\n")
    ann.save("Our mission, and how our researchers work")
    ann.by_hand()
    assert (ann.up(), ann.conversations()) == (before, conversations)
    assert ann.own_files() == OWN
    for agent, kind in SEATS.items():
        ann.is_told(agent)
        text = ann.contract(agent)
        assert ("Grünsee" in text, "Dry humour" in text, RULE in text) == (True, True, kind == "researcher"), agent
    assert all_are(ann, "older")
    ann.mosaic("agent", "reset", "researcher0", "--force")
    assert {name for name, state in ann.missions().items() if state == "current"} == {"researcher0"}
    assert ann.up() == before

    def begun_anew() -> set[str]:
        now = ann.conversations()
        return {name for name in SEATS if now[name] != conversations[name]}

    eventually(lambda: begun_anew() == {"researcher0"}, timeout=SOON, what="researcher0's next conversation")


def test_an_upgrade_under_working_agents(ann: Ann) -> None:
    assert ann.package is not None
    before, conversations = ann.up(), ann.conversations()
    law, standards = ann.read(f"{ann.home}/CONSTITUTION.md"), ann.read(f"{ann.home}/STANDARDS.md")
    persona = ann.read(f"{ann.repo}/roles/researcher.md")
    ann.write(f"{ann.home}/CONSTITUTION.md", law + EDITED_BY_HAND)
    ann.write(f"{ann.home}/STANDARDS.md", standards + ADDED_BY_HAND)
    loop = ann.show(LOOP, "MainPID")
    ann.package.upgrade(NEXT)
    said = ann.mosaic("update", "--fleet", ann.repo)
    assert "10 agent(s) run on an older launch" in said.stdout
    # The framework is new, and what was written into it is kept.
    check_framework(ann)
    assert ann.read(f"{ann.home}/CONSTITUTION.md.pre-constitution.bak") == law + EDITED_BY_HAND
    assert ann.read(f"{ann.home}/STANDARDS.local.md") == ADDED_BY_HAND
    assert ann.own_files() == OWN
    assert ann.read(f"{ann.repo}/roles/researcher.md") == persona
    # That something else ships below the operator's persona is told, with both sides of it, and is all that happens.
    changed = 'the shipped contract of "researcher" has changed since this was written over it'
    assert changed in said.stderr
    sides = ann.mosaic("fleet", "persona", "diff", "researcher", "--fleet", ann.repo).stdout
    assert all(f"+{one}" in sides for one in (NEW_MANDATE, NEW_BOUNDARY, RULE)), sides
    assert "1 conflict: yours is in force until you change it" in sides
    # What the next start will be given is new; those who work go on with what they have.
    check_contracts(ann)
    assert all_are(ann, "older")
    assert (ann.up(), ann.conversations()) == (before, conversations)
    # The loop of the version before makes way, and has put nothing of its own in the place of what is new.
    eventually(lambda: ann.show(LOOP, "MainPID") not in ("0", loop), timeout=SOON, what="the loop's next process")
    eventually(lambda: ann.show(LOOP, "ActiveState") == "active", timeout=SOON, what="its first look")
    check_contracts(ann)
    assert "No changes" in ann.by_hand()
    assert (ann.up(), ann.conversations()) == (before, conversations)


def test_a_reboot_puts_everybody_on_the_new_one(machine: Machine, ann: Ann) -> None:
    before = ann.up()
    kept = {name: ann.read(f"{ann.home}/{name}") for name in ("STANDARDS.local.md", *OWN)}
    machine.reboot()
    after = ann.up()
    assert not set(before.values()) & set(after.values())
    machine.wait_for_user(ann.user)  # so that nothing is still to come
    assert all_are(ann, "current")
    check_framework(ann)
    check_contracts(ann)
    assert {name: ann.read(f"{ann.home}/{name}") for name in kept} == kept
    said = ann.mosaic("update", "--fleet", ann.repo)
    assert "every agent runs on the present launch" in said.stdout
    assert "No changes" in said.stdout
    assert ann.up() == after


def check_framework(ann: Ann) -> None:
    """Every file of the framework is that of the installed version, and that is the next one."""
    assert ann.package is not None
    for name in ("CONSTITUTION.md", "AGENTS.md", "STANDARDS.md", "TOOLS.md", "guides/research.md"):
        assert ann.read(f"{ann.home}/{name}") == ann.package.text(f"{LIBRARY}/framework/{name}")
    assert LAW in ann.read(f"{ann.home}/CONSTITUTION.md")
    assert "Rewritten" in ann.read(f"{ann.home}/guides/research.md")


def check_contracts(ann: Ann) -> None:
    for agent, kind in SEATS.items():
        ann.is_told(agent)
        text = ann.contract(agent)
        for part in (LAW, ADDED_BY_HAND.strip(), "Grünsee", "Find out why the lake turns green"):
            assert part in text, (agent, part)
        assert "leave early" not in text, "what was written into the constitution is no law"
        # The operator's boundaries take the place of the shipped ones; the mandate beside them is the new version's.
        assert (RULE in text, NEW_MANDATE in text) == (kind == "researcher", kind == "researcher"), agent
        assert NEW_BOUNDARY not in text, agent
        assert (NEW_ANALYSIS in text) == (kind == "data-analyst"), agent
