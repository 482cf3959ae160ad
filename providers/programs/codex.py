"""codex: its hooks report its turns, and its screen shows the rest. Pure.

The hooks are configuration of one launch (`-c`). codex runs a hook only if it trusts the hook's hash, and otherwise
stops at a dialog; we pass the hash along, so neither its home nor what the person has trusted there is touched.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from providers.programs.base import Extra, HeartbeatSource, Program, Reads, chooses_itself
from providers.programs.screens import codex as codex_screen
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.programs.base import AgentPaths, Reading
    from providers.screen import Screen
    from specs.compiled import Agent

# The hooks print the contract in parts: codex cuts the output of one hook to about 10,000 bytes. The longest possible
# contract takes fewer parts than this.
PARTS = 16
PART_MAX = 9_000
TIMEOUT_S = 3  # the most that codex allows for every event: the hash covers the value allowed
_FLAGS = "/<session-flags>/config.toml"  # codex's name for what comes by `-c`

# Options that are followed by a value: any other word may be a command of codex (`resume`, `exec`), or a prompt.
_VALUES = frozenset(
    [
        "-c",
        "--config",
        "-i",
        "--image",
        "-m",
        "--model",
        "-p",
        "--profile",
        "-s",
        "--sandbox",
        "-a",
        "--ask-for-approval",
        "--add-dir",
        "--local-provider",
        "--enable",
        "--disable",
        "--remote",
    ]
)
_CHOOSES = frozenset(("-C", "--cd", "--worktree"))

# Event, and the arguments of agent-hook. codex retries a failed request by itself for a while, which the next
# PreModelRequest reports. Versions without an event ignore it.
HOOKS: Mapping[str, tuple[str, ...]] = {
    "UserPromptSubmit": ("busy",),
    "PreModelRequest": ("busy",),
    "PostModelRequest": ("ok", "stuck=model-request-failed", "only=status:failed"),
    "PreToolUse": ("busy", "waiting=question@tool_name:request_user_input"),
    "PermissionRequest": ("busy", "waiting=permission"),
    "PostToolUse": ("busy",),
    "PreCompact": ("busy",),
    "Interrupt": ("ok",),
    "Stop": ("ok",),
}


@dataclass(frozen=True, slots=True)
class Codex:
    name: str = "codex"
    heartbeats: HeartbeatSource = "hook"
    receipts: bool = True
    reads: Reads = "conversation"

    def extra(self, agent: Agent, place: AgentPaths) -> Extra:
        """Nothing if the agent's own command has hooks: codex does not merge two `-c` of one key. Also nothing if it
        may work through codex's daemon: with a `-c` it would not, or would stop at a question about a running
        daemon."""
        if not _takes_hooks(agent):
            return Extra()
        commands = {event: shlex.join([f"{place.bin_dir}/agent-hook", event, *said]) for event, said in HOOKS.items()}
        # They print its current form for each new conversation; `developer_instructions` would replace the person's
        # own. At launch they do not run: codex calls them with the first prompt.
        said_by: dict[str, tuple[str, ...]] = {event: (command,) for event, command in commands.items()}
        said_by["SessionStart"] = tuple(_part(place.contract, number) for number in range(PARTS))
        args: list[str] = []
        trusted: list[str] = []
        for event, called in said_by.items():
            hooks = [f'{{type="command",command={_toml(one)},timeout={TIMEOUT_S}}}' for one in called]
            args += ["-c", f"hooks.{event}=[{{hooks=[{','.join(hooks)}]}}]"]
            for number, command in enumerate(called):
                key = f"{_FLAGS}:{_snake(event)}:0:{number}"
                trusted.append(f'{_toml(key)}={{trusted_hash="{trusted_hash(event, command)}"}}')
        return Extra(args=(*args, "-c", f"hooks.state={{{','.join(trusted)}}}"))

    def read(self, screen: Screen, version: str = "") -> Reading:
        return codex_screen.read(screen, version)

    def reset_text(self, how: Literal["new", "clear"]) -> str | None:
        _ = how  # in a git repository `/new` asks where; both begin a new conversation
        return "/clear"

    def takes_conversation(self, agent: Agent) -> bool:
        """Only its hooks report which one it is in."""
        return _takes_hooks(agent) and not chooses_itself(agent.argv, _CHOOSES, values=_VALUES)


def _takes_hooks(agent: Agent) -> bool:
    own = "--" in agent.argv or any("hooks" in word for word in agent.argv)
    return not own and "--no-daemon" in agent.argv


def _part(path: str, number: int) -> str:
    """The command that prints one part of a file, up to the end of a line; the last one prints the rest. It prints
    nothing for a file that is shorter or absent, and nothing to a conversation that is gone on with and has it (the
    start says so): codex keeps what it has been told, and would have it once more each time."""
    last = number if number < PARTS - 1 else 10**6
    known = """[ -z "${MOSAIC_CONTRACT_KNOWN:-}" ] || ! grep -q '"source": *"resume"' || exit 0; """
    program = f"(n+=length($0)+1)>{PART_MAX}&&n>length($0)+1{{p++;n=length($0)+1}}p>={number}&&p<={last}"
    return f"{known}LC_ALL=C awk {shlex.quote(program)} {shlex.quote(path)} 2>/dev/null || :"


def trusted_hash(event: str, command: str, timeout_s: int = TIMEOUT_S) -> str:
    """The hash that codex computes of a hook without a matcher, from its canonical JSON."""
    hook = {"async": False, "command": command, "timeout": timeout_s, "type": "command"}
    identity = {"event_name": _snake(event), "hooks": [hook]}
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def _toml(text: str) -> str:
    """A basic string of TOML: it has all escapes of JSON, and also needs DEL escaped, which JSON does not do."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _snake(event: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in event).removeprefix("_")


PROGRAM: Program = Codex()
