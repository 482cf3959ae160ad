"""claude: its hooks report its turns, and its screen shows the rest. Pure.

The hooks are settings of one launch (`--settings`). claude adds them to the hooks of the person and of the project,
which it still calls, and asks nobody about them.
"""

from __future__ import annotations

import json
import re
import shlex
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from providers.programs.base import Extra, HeartbeatSource, Program, Reads, chooses_itself
from providers.programs.screens import claude as claude_screen
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.programs.base import AgentPaths, Reading
    from providers.screen import Screen
    from specs.compiled import Agent

SETTINGS = "claude-settings.json"
TIMEOUT_S = 5  # a hook that hangs delays the program for this long
_CONTRACT = "--append-system-prompt="
# The answers get worse as a conversation grows towards the largest window that a model offers.
WINDOW = 200_000  # tokens; claude summarises the conversation when it has used them up
_WINDOW_ENV = "CLAUDE_CODE_AUTO_COMPACT_WINDOW"
_LARGE_ENV = "CLAUDE_CODE_DISABLE_1M_CONTEXT"
# Options that choose a conversation, or have it work where no conversation is kept.
_CHOOSES = frozenset(
    [
        "--resume",
        "-r",
        "--continue",
        "-c",
        "--session-id",
        "--fork-session",
        "--from-pr",
        "--teleport",
        "--cloud",
        "--bg",
        "--background",
        "--print",
        "-p",
        "--no-session-persistence",
        "--worktree",
        "-w",
    ]
)
_ASKS = ("busy", "waiting=permission", "waiting=question@tool_name:AskUserQuestion")

# Event, the `matcher` that narrows it ("" for none), and the arguments of agent-hook. A start stops at a warning about
# an event that claude does not know, so the list has no recent event that we can do without.
HOOKS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("SessionStart", "startup|resume|clear", ("ok",)),  # after "compact" the turn may go on
    ("UserPromptSubmit", "", ("busy",)),
    ("PreToolUse", "", ("busy",)),
    ("PostToolUse", "", ("busy",)),
    ("PermissionRequest", "", _ASKS),
    ("Notification", "idle_prompt", ("ok", "keep=stuck")),  # it comes a minute after a turn that failed, too
    ("Notification", "elicitation_dialog", ("busy", "waiting=question")),
    ("Notification", "elicitation_complete|elicitation_response", ("busy",)),
    ("PreCompact", "", ("busy",)),
    ("Stop", "", ("ok",)),
    ("StopFailure", "", ("ok", "stuck=@error")),
)


@dataclass(frozen=True, slots=True)
class Claude:
    name: str = "claude"
    heartbeats: HeartbeatSource = "hook"
    receipts: bool = True
    reads: Reads = "start"

    def extra(self, agent: Agent, place: AgentPaths) -> Extra:
        """Never adds an option that the agent's own command has: of two `--settings`, claude takes the last."""
        options = {word.partition("=")[0] for word in agent.argv}
        own = {name: value.literal for name, value in agent.env}
        window = _window(own)
        caps = {_LARGE_ENV: "1", _WINDOW_ENV: str(WINDOW)}
        env = tuple((name, value) for name, value in caps.items() if name not in own)
        if "--" in options:
            return Extra(env=env)  # anything after it would be part of the prompt
        files: tuple[tuple[str, str], ...] = ()
        args: tuple[str, ...] = ()
        text: tuple[tuple[str, str], ...] = ()
        if "--settings" not in options:
            files = ((SETTINGS, settings(place, window)),)
            args = ("--settings", f"{place.folder}/{SETTINGS}")
        if not options & {"--append-system-prompt", "--append-system-prompt-file"}:
            text = ((_CONTRACT, place.contract),)
        return Extra(files=files, args=args, text_args=text, env=env)

    def read(self, screen: Screen, version: str = "") -> Reading:
        return claude_screen.read(screen, version)

    def reset_text(self, how: Literal["new", "clear"]) -> str | None:
        _ = how  # `/new` and `/reset` are aliases of it
        return "/clear"

    def takes_conversation(self, agent: Agent) -> bool:
        return "--settings" not in agent.argv and not chooses_itself(agent.argv, _CHOOSES)


def settings(place: AgentPaths, window: int | None = WINDOW) -> str:
    """The file of settings, as JSON. `window`: the most tokens of a conversation, None to set no limit."""
    return _settings(place.bin_dir, window)


@lru_cache(maxsize=16)
def _settings(bin_dir: str, window: int | None) -> str:
    """The same for all agents but those with a window of their own; making it takes a tenth of a millisecond."""
    hooks: dict[str, list[object]] = {}
    for event, matcher, words in HOOKS:
        command = shlex.join([f"{bin_dir}/agent-hook", event, *words])
        entry = {"hooks": [{"type": "command", "command": command, "timeout": TIMEOUT_S}]}
        hooks.setdefault(event, []).append({"matcher": matcher, **entry} if matcher else entry)
    cap = {} if window is None else {"autoCompactEnabled": True, "autoCompactWindow": window}
    return json.dumps({**cap, "hooks": hooks}, indent=2) + "\n"


def _window(own: Mapping[str, str | None]) -> int | None:
    """The value in the roster's `env` for this agent, if any; a value that claude would reject is left to claude."""
    if _WINDOW_ENV not in own:
        return WINDOW
    said = own[_WINDOW_ENV] or ""
    return int(said) if re.fullmatch(r"[1-9][0-9]{5}|1000000", said) else None


PROGRAM: Program = Claude()
