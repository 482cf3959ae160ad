"""Sessions: the conversations that an agent has had, and whether a start can go back to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.launch.additions import takes_conversation
from providers.machine.conversation_files import kept_files, read_record
from providers.programs.base import Plain
from providers.programs.registry import program
from reconciler.errors import MosaicError, NotFound, Refused
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from providers.host import HostFacts
    from specs.compiled import Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSession:
    """One conversation of an agent. Times are Unix seconds; `last` is its last turn, as far as its file or the record
    says. `size`: bytes of the file that its program keeps it in, None if that is not known. `present`: the agent is in
    it, or was when it ended. `why_not`: why a start cannot go back to it, as a sentence; "" if it can."""

    id: str
    program: str
    directory: str
    started: float
    last: float
    size: int | None = None
    present: bool = False
    why_not: str = ""


def sessions_of(agent: Agent, facts: HostFacts) -> tuple[AgentSession, ...]:
    """What an agent of this host can go back to, the newest first. Raises MosaicError if its record cannot be read."""
    try:
        record = read_record(agent.name, facts)
    except ObserveError as error:
        raise MosaicError(str(error), help="the file belongs to the fleet: see what is in its place") from error
    kept = kept_files(one.file for one in record.conversations)
    found = []
    for one in record.conversations:
        size, changed = kept.get(one.file, (None, one.last))
        why = ""
        if one.program and one.program != agent.runtime:
            why = f"it is one of {one.program}, and the agent's runtime is {agent.runtime}"
        elif one.directory and one.directory != agent.working_directory:
            why = f"it was held in {one.directory}"
        elif one.file and one.said and size is None:
            why = "nothing of it is left"
        found.append(
            AgentSession(
                id=one.session,
                program=one.program,
                directory=one.directory,
                started=one.started,
                last=max(one.last, changed),
                size=size,
                present=one.session == record.current,
                why_not=why,
            )
        )
    return tuple(sorted(found, key=lambda one: (one.present, one.last, one.started), reverse=True))


def cannot_go_on(agent: Agent) -> str:
    """Why no start of an agent can be told which conversation to go on with, as a sentence; "" if it can."""
    if takes_conversation(agent):
        return ""
    if isinstance(program(agent.runtime), Plain):
        return f"nothing is known of how {agent.runtime} goes on with a conversation"
    return "its command is not the program of its runtime, or chooses a conversation itself"


def chosen(agent: Agent, wanted: str, facts: HostFacts) -> str:
    """The id of the conversation that is meant: `wanted` is an id, or the beginning of only one. Raises NotFound, and
    Refused if a start cannot go back to it."""
    why = cannot_go_on(agent)
    if why:
        raise Refused(f"agent {agent.name} cannot go back to a conversation: {why}")
    return pick(agent.name, wanted, sessions_of(agent, facts))


def pick(name: str, wanted: str, known: Sequence[AgentSession]) -> str:
    """The id of the one that `wanted` names. Raises NotFound and Refused."""
    exact = [one for one in known if one.id == wanted]
    found = exact or [one for one in known if wanted and one.id.startswith(wanted)]
    if len(found) != 1:
        what = (
            f'several conversations of {name} begin with "{wanted}"'
            if found
            else f'{name} has no conversation "{wanted}"'
        )
        raise NotFound(what, help=f"mosaic agent sessions {name} lists them")
    if found[0].why_not:
        raise Refused(
            f"{name} cannot go back to {found[0].id}: {found[0].why_not}", help=f"mosaic agent sessions {name}"
        )
    return found[0].id
