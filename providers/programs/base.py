"""What the loop needs to know of a program in a pane, as one small protocol. Pure.

A program is known by the name of its runtime. An unknown one is `Plain`: its launch adds nothing, and its screen is not
read, so we claim nothing about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from providers.screen import Screen
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection

    from specs.compiled import Agent

# The kinds of dialogs. `resume` asks about an earlier conversation (its folder, or that it is open elsewhere), `menu`
# is one of the program that a person has opened, and `unknown` one that no reader has a name for.
Asks = Literal[
    "", "permission", "question", "login", "trust", "bypass", "first-run", "model", "resume", "menu", "unknown"
]
# What keeps a program from working until something else ends it; see `Reading.trouble`.
Trouble = Literal["", "logged-out", "limit", "api-error", "retries"]
TurnWord = Literal["idle", "busy", "unknown"]
HeartbeatSource = Literal["native", "hook", "none"]
Reads = Literal["start", "conversation", "prompt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPaths:
    """The paths of one agent's files; absolute, without a trailing slash."""

    folder: str  # of `Extra.files`: $MOSAIC_HOME/fleet/agents/NAME.d
    bin_dir: str  # of the launch programs, `agent-hook` among them
    contract: str  # the file with the text that it starts with; always there, and as the next start needs it
    home: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What a launch adds to the program's own command. It takes effect at the next start; no change of it restarts
    anyone. `files` are names below `AgentPaths.folder` and their content. `text_args` are arguments made at the start:
    a prefix, and the file whose content follows it. An environment value never holds a secret."""

    files: tuple[tuple[str, str], ...] = ()
    args: tuple[str, ...] = ()
    text_args: tuple[tuple[str, str], ...] = ()
    env: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer that a dialog offers. `keys`: what chooses and confirms it, as names of tmux keys (`("2",)`,
    `("Down", "Enter")`), in the state that the screen shows; empty where no key is known that is safe."""

    label: str
    keys: tuple[str, ...] = ()
    means: Literal["", "allow", "deny"] = ""
    selected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a screen shows, by positive evidence only.

    `composer`: "empty" or "draft" (then `draft` is the part of its text that the screen shows) only if it was found;
    "hidden" if not. `asks`: a dialog that waits for a person. `queued`: messages in the program's own queue.
    `placeholders`: how many collapsed pastes the composer shows. `why` names the evidence, for people.

    `question` and `choices` belong to `asks`: the dialog's text as the screen shows it, without its frame, and what it
    offers. `takes_text`: an answer can be typed into it. `trouble`: why it cannot work, and `until` when that ends, as
    the screen says it ("3pm (Europe/Berlin)"), "" if it does not. `without`: troubles that this very screen would show,
    and does not; that a line of the conversation is not on it proves nothing.
    """

    turn: TurnWord = "unknown"
    composer: Literal["empty", "draft", "hidden"] = "hidden"
    draft: str = ""
    asks: Asks = ""
    queued: tuple[str, ...] = ()
    placeholders: int = 0
    why: str = ""
    question: str = ""
    choices: tuple[Choice, ...] = ()
    takes_text: bool = False
    trouble: Trouble = ""
    until: str = ""
    without: tuple[Trouble, ...] = ()


# Hooks that a program calls only after a model has answered. One that merely says "not busy" is none of them. A program
# that writes its own heartbeat says when it was answered last (`answered=`), for it repeats its last event.
ANSWERED = frozenset({"Stop", "PreToolUse", "PostToolUse"})
# They create a session at its first prompt, and until then their hooks report the previous one (measured with
# codex 0.169.0 and opencode 1.18.33).
LATE_SESSIONS = frozenset({"codex", "opencode"})


# They lose the messages in their own queue when they end; the others keep them (measured with claude 2.1 and pi 1.6).
LOSES_QUEUE = frozenset({"claude", "pi"})


class Program(Protocol):
    """`heartbeats`: who writes the heartbeat: the program itself, its hooks (of turns; liveness is the responder's), or
    nobody. `receipts`: whether it reports each message that it takes up, with its text. `reads`: how often it reads
    its contract again."""

    @property
    def name(self) -> str: ...

    @property
    def heartbeats(self) -> HeartbeatSource: ...

    @property
    def receipts(self) -> bool: ...

    @property
    def reads(self) -> Reads: ...

    def extra(self, agent: Agent, place: AgentPaths) -> Extra:
        """What its launch adds; nothing if the agent's command is not this program."""
        ...

    def read(self, screen: Screen, version: str = "") -> Reading:
        """What its screen shows; total: an unknown screen is an empty Reading. Without a version, it may be any."""
        ...

    def reset_text(self, how: Literal["new", "clear"]) -> str | None:
        """The program's own command that begins a new conversation, or empties this one; None if it has none."""
        ...

    def takes_conversation(self, agent: Agent) -> bool:
        """Whether a start of this agent may tell it which conversation to go on with: it reports which one it is in,
        and the agent's own command chooses none."""
        ...


@dataclass(frozen=True, slots=True)
class Plain:
    """An unknown program."""

    name: str
    heartbeats: HeartbeatSource = "none"
    receipts: bool = False
    reads: Reads = "start"

    def extra(self, agent: Agent, place: AgentPaths) -> Extra:
        _ = agent, place
        return Extra()

    def read(self, screen: Screen, version: str = "") -> Reading:
        _ = screen, version
        return Reading()

    def reset_text(self, how: Literal["new", "clear"]) -> str | None:
        _ = how
        return None

    def takes_conversation(self, agent: Agent) -> bool:
        _ = agent
        return False


def chooses_itself(argv: tuple[str, ...], options: Collection[str], *, values: Collection[str] = ()) -> bool:
    """Whether a command line decides by itself what its program works on: it has one of these options, also as
    `--option=value` or with its value behind a short one (`-rID`), or a word at its beginning that may be a command of
    the program. `values`: options that are followed by a value; where they are given, such a word counts anywhere."""
    short = tuple(option for option in options if len(option) == 2)
    previous = argv[0] if argv else ""
    for at, word in enumerate(argv[1:]):
        if word == "--" or word.partition("=")[0] in options or (not word.startswith("--") and word.startswith(short)):
            return True
        bare = not word.startswith("-") and previous not in values
        if bare and (at == 0 or values):
            return True
        previous = word
    return False


def read_screen(one: Program, screen: Screen, version: str = "") -> Reading | None:
    """What its screen shows; None if that cannot be known: of an unknown program, and of one whose composer is not
    recognised, only a dialog or a trouble counts."""
    reading = one.read(screen, version)
    known = not isinstance(one, Plain) or reading.asks or reading.trouble
    return reading if known else None
