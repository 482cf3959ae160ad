"""The part of agent-pane that chooses the conversation of a start: its own text, and each program's."""

from __future__ import annotations

from functools import cache

from providers import framework_files
from providers.programs import files

# The programs that go on with a conversation of theirs.
PROGRAMS = ("claude", "codex", "opencode", "pi", "stub")
_PLACE, _PROGRAMS_PLACE = "# @CONVERSATION@\n", "# @PROGRAMS@\n"


@cache
def pane_text() -> str:
    """The program agent-pane as it is installed."""
    own = "\n".join(files.text(f"conversation-{name}.sh") for name in PROGRAMS)
    choice = framework_files.text("agent-conversation").replace(_PROGRAMS_PLACE, own)
    return framework_files.text("agent-pane").replace(_PLACE, choice)
