"""`mosaic`: everything around the loop. A command's module is imported when that command is called, and not before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from reconciler.commands.group import Group, Table
from reconciler.commands.version import version_option

# By section: what one reads in --help, in the order of a fleet's day.
FLEET_SECTIONS: Mapping[str, Table] = {
    "Set up": {
        "init": ("init.command", "init", "Make a fleet: its files, its repository, the first commit."),
        "provision": ("change.provision", "provision", "Fill the seats of a system type, by a commit."),
        "validate": ("view.validate", "command", "Check the files of a fleet."),
        "schema": ("schema", "command", "Print a JSON Schema."),
        "install": ("setup.install", "install", "Have this host reconcile by itself from now on."),
        "uninstall": (
            "setup.uninstall",
            "uninstall",
            "Stop the timer or service; agents keep running. --purge: remove all.",
        ),
    },
    "See": {
        "ps": ("view.ps", "command", "Every agent, as it is right now."),
        "status": ("view.status", "command", "What is known of the fleet on this host."),
        "attention": ("view.attention", "command", "What needs a person, and what answers it."),
        "verify": ("view.verify", "command", "Check everything that the fleet needs, by its name."),
        "org": ("view.org", "command", "Draw who reports to whom."),
        "comms-block": ("view.comms_block", "command", "What an agent knows of its peers."),
    },
    "Change, by a commit": {
        "add": ("change.add", "add", "Declare one more agent, by a commit."),
        "remove": ("change.remove", "remove", "Remove agents from the fleet, by a commit."),
        "start": ("change.lifecycle", "start", "Start agents that were stopped, by a commit."),
        "stop": ("change.lifecycle", "stop", "Stop agents, by a commit."),
        "restart": ("change.lifecycle", "restart", "Restart agents once, by a commit."),
    },
    "Now, on this host": {
        "sync": ("change.sync", "command", "Reconcile now."),
        "pause": ("change.pause", "pause", "Set the kill switch: no action is taken."),
        "resume": ("change.pause", "resume", "Clear the kill switch, or lift an agent's suspension."),
        "suspend": ("change.suspend", "suspend", "Leave an agent alone for a while."),
        "unsuspend": ("change.suspend", "unsuspend", "Lift a suspension."),
        "release": ("change.release", "command", "Let something through that is held."),
    },
    "Purpose and roles": {
        "north-star": ("mosaic", "north_star", "The mission: what the fleet is for, and which goals come next."),
        "persona": ("mosaic", "persona", "The contracts of the classes: read and override them."),
    },
}
NORTH_STAR: Table = {
    "validate": ("change.north_star", "validate", "Check the mission."),
    "render": ("change.north_star", "render", "Write the mission for people to read, or check that file."),
    "next": ("change.north_star", "next_", "List the goals that are ready."),
    "graph": ("change.north_star", "graph", "Draw the order of the goals."),
    "diff": ("change.north_star", "diff", "Describe what has changed in the mission."),
}
PERSONA: Table = {
    "list": ("change.persona", "list_", "List every class that has a contract."),
    "show": ("change.persona", "show", "Print the contract of a class."),
    "customise": ("change.persona", "customise", "Begin to override a shipped contract, by a commit."),
    "diff": ("change.persona", "diff", "Show what has changed in the shipped one, and what yours says."),
    "accept": ("change.persona", "accept", "Confirm that you have seen what ships now, by a commit."),
}
AGENT_SECTIONS: Mapping[str, Table] = {
    "See": {
        "status": ("agent.status", "command", "Everything about one agent, and what happens next."),
        "sessions": ("agent.sessions", "command", "The conversations that an agent can go back to."),
        "roster": ("agent.roster", "command", "Who is declared, here and on other hosts."),
        "watch": ("agent.watch", "command", "Look at an agent's pane, live."),
        "tail": ("agent.tail", "command", "The last lines of an agent's pane."),
    },
    "Talk": {
        "send": ("agent.send", "command", "Put a message into an agent's composer."),
        "outbox": ("agent.outbox", "command", "Messages that wait until their agent is available."),
        "answer": ("agent.answer", "command", "Answer the dialog that an agent shows."),
        "attach": ("agent.attach", "command", "Attach your terminal to an agent's session."),
        "reset": ("agent.reset", "command", "Give an agent a new conversation."),
    },
}
TOP_SECTIONS: Mapping[str, Table] = {
    "Every day": {
        "ps": ("view.ps", "command", "Every agent, as it is right now: `mosaic fleet ps`."),
        "status": ("view.status", "command", "What is known of the fleet on this host: `mosaic fleet status`."),
        "fleet": ("mosaic", "fleet", "The fleet on this host."),
        "agent": ("mosaic", "agent", "One agent of the fleet."),
    },
    "This host": {
        "update": ("setup.update", "command", "Bring this host to the installed version, or back."),
        "doctor": ("view.doctor", "command", "Check every prerequisite, and show how to fix it."),
    },
    "Reference": {
        "help": ("help", "command", "Print the help of a command."),
        "man": ("man", "command", "Print a manual page, or write them all."),
        "completion": ("completion", "command", "Print the completion script for a shell."),
        "compose-contract": ("view.compose_contract", "command", "Print the text that an agent starts with."),
    },
}


def _flat(sections: Mapping[str, Table]) -> Table:
    return {name: row for table in sections.values() for name, row in table.items()}


FLEET, AGENT, TOP = _flat(FLEET_SECTIONS), _flat(AGENT_SECTIONS), _flat(TOP_SECTIONS)
_EVERYWHERE: Mapping[str, Table] = {"mosaic fleet": FLEET, "mosaic agent": AGENT, "mosaic": TOP}

fleet = Group(
    name="fleet",
    sections=FLEET_SECTIONS,
    others=_EVERYWHERE,
    help="The fleet on this host.",
    epilog="\b\nExample:\n  mosaic fleet status\n",
)
north_star = Group(
    name="north-star",
    sections={"Commands": NORTH_STAR},
    help="The mission: NORTH_STAR.yaml, what the fleet is for, and which goals come next.",
    epilog="\b\nExample:\n  mosaic fleet north-star next ~/fleet\n",
)
persona = Group(
    name="persona",
    sections={"Commands": PERSONA},
    help="The contracts of the classes: those that ship, and yours that override them.",
    epilog="\b\nExample:\n  mosaic fleet persona show code\n",
)
agent = Group(
    name="agent",
    sections=AGENT_SECTIONS,
    others=_EVERYWHERE,
    help="One agent of the fleet.",
    epilog="\b\nExample:\n  mosaic agent roster\n",
)
command = version_option(
    Group(
        name="mosaic",
        sections=TOP_SECTIONS,
        others=_EVERYWHERE,
        help="A fleet of agents, declared in a git repository. `reconcile` is the loop; `mosaic` is everything else.",
        epilog="\b\nExample:\n  mosaic fleet validate ~/fleet && reconcile --dry-run ~/fleet\n",
    )
)


def main() -> NoReturn:
    """The console script."""
    from reconciler.cli.main import main as run_command

    run_command(command)
