"""roster.yaml: who is in the fleet, and how each agent is started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema, model_validator

from specs.compiled import PRESENT, OnResume
from specs.values.fields import (
    Args,
    EnvName,
    Folder,
    HostName,
    Line,
    Lines,
    MemorySize,
    Name,
    PathName,
    PersonaName,
    SessionId,
    SocketName,
    Spec,
    SshTarget,
    VersionText,
    Words,
    describe,
    fault,
    line_fault,
)

WELL_KNOWN_CLASSES = (
    "orchestrator",
    "enhancer",
    "implementer",
    "reviewer",
    "researcher",
    "worker",
    "analyst",
    "planner",
    "decomposition",
    "board",
    "code",
    "review",
    "security",
    "security-review",
    "session-review",
    "documentation",
    "merge-gate",
    "rebase",
    "canary",
    "operator",
)


# A bare ~ is nothing to an editor that reads YAML, and the home folder to people and to this loader.
HomePath = Annotated[Folder, WithJsonSchema({"type": ["string", "null"]})]


class Tmux(Spec):
    """Where the sessions are. Without `socket_name` it is the user's default tmux server."""

    socket_name: SocketName = ""
    holder_session: Name = "_holder"


class RuntimeSpec(Spec):
    """A runtime declared by the roster, or some fields of a shipped one."""

    command: Words | None = None
    reset_command: Line | None = None
    process_names: tuple[Line, ...] | None = Field(default=None, min_length=1)
    model_flag: Line | None = None
    unattended_flags: tuple[Line, ...] | None = None
    args: Args | None = None
    submit_key: Line | None = None
    native_heartbeat: bool | None = None
    path: tuple[Folder, ...] | None = None


class MatrixTarget(Spec):
    """A room on a Matrix homeserver."""

    homeserver_url: Line
    user_id: Line
    room_id: Line


class ChannelTarget(Spec):
    """A channel on Discord or Slack."""

    channel_id: Line


class ChatTarget(Spec):
    """A chat on Telegram."""

    chat_id: Line


class Connector(Spec):
    """How people reach the orchestrator. Its tokens come from the environment, never from here."""

    kind: Literal["tmux", "discord", "matrix", "telegram", "slack"]
    matrix: MatrixTarget | None = None
    discord: ChannelTarget | None = None
    slack: ChannelTarget | None = None
    telegram: ChatTarget | None = None


class EnvSpec(Spec):
    """One environment variable: its value, or where the launcher finds it."""

    literal: str | None = None
    from_env: EnvName | None = None
    from_file: PathName | None = None

    @model_validator(mode="before")
    @classmethod
    def _spelling(cls, value: object) -> object:
        if isinstance(value, str):
            message = line_fault(value) if value else None
            if message:
                raise fault(message)
            return {"literal": value}
        if not isinstance(value, dict):
            quotes = "" if isinstance(value, tuple) else "; put it in quotes"
            raise fault(f"must be text, {{from_env: NAME}} or {{from_file: PATH}}, not {describe(value)}{quotes}")
        if len(value.keys() & {"from_env", "from_file"}) != 1 and value.keys() <= {"from_env", "from_file"}:
            raise fault("must be exactly one of {from_env: NAME} and {from_file: PATH}")
        return value


EnvEntry = Annotated[
    EnvSpec,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"from_env": {"type": "string"}, "from_file": {"type": "string"}},
                    "additionalProperties": False,
                    "minProperties": 1,
                    "maxProperties": 1,
                },
            ]
        }
    ),
]


class Resources(Spec):
    """Limits of the agent's processes together."""

    memory_max: MemorySize | None = None
    cpu_weight: int | None = Field(default=None, ge=1, le=10_000)
    tasks_max: int | None = Field(default=None, ge=1, le=4_194_304)


class Defaults(Spec):
    """What an agent inherits where it does not say otherwise. `env` and `resources` are merged key by key, and the
    agent's own value counts; `args` go before the agent's own. An agent with a `command` inherits no `args`."""

    working_directory: HomePath = "~"
    env: Mapping[EnvName, EnvEntry] = Field(default_factory=dict)
    resources: Resources = Resources()
    args: Args | None = None
    yolo: bool = True
    kickstart_template: Line | None = None
    reset_between_tasks: bool = False
    resume: OnResume = "on-heal"


class AgentSpec(Spec):
    """One agent as its entry says; what is absent is inherited or has the default shown."""

    name: Name
    runtime: Name
    agent_class: Line = Field(default="worker", alias="class")
    state: Literal["running", "stopped", "absent"] = "running"
    working_directory: Folder | None = None
    model_hint: Line | None = None
    yolo: bool = True
    command: Words | None = None
    args: Args | None = None
    channels: Lines | None = None
    env: Mapping[EnvName, EnvEntry] = Field(default_factory=dict)
    persistent_persona: PersonaName = False
    reset_between_tasks: bool = False
    kickstart_template: Line | None = None
    resume: OnResume = "on-heal"
    resume_nudge: Line | None = None
    limit_nudge: Line | None = None
    restart_session: SessionId = PRESENT
    host: HostName | None = None
    ssh: SshTarget | None = None
    socket: SocketName | None = None
    tenant_id: Line | None = None
    alias: Line | None = None
    groups: tuple[Name, ...] = ()
    depends_on: tuple[Name, ...] = ()
    resources: Resources = Resources()
    generation: int = Field(default=0, ge=0)


class RosterHead(Spec):
    """The roster without its agents, which are read one by one so that one bad entry does not hide the others."""

    version: VersionText
    transport: Literal["tmux"] = "tmux"
    tmux: Tmux = Tmux()
    defaults: Defaults = Defaults()
    runtimes: Mapping[Name, RuntimeSpec] = Field(default_factory=dict)
    connector: Connector | None = None


class Roster(RosterHead):
    """roster.yaml."""

    agents: tuple[AgentSpec, ...] = Field(min_length=1)
