"""The programs in the panes, as data: how each is started, recognised, reset and submitted to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from specs.models.roster import RuntimeSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """`process_names` are what a process of it may be called (comm or program name); `path` goes before PATH."""

    command: tuple[str, ...]
    process_names: tuple[str, ...]
    model_flag: str | None = None
    unattended_flags: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    reset_command: str | None = None
    submit_key: str = "Enter"
    native_heartbeat: bool = False
    path: tuple[str, ...] = ()


KNOWN: Mapping[str, Runtime] = {
    "claude": Runtime(
        command=("claude",),
        process_names=("claude",),
        model_flag="--model",
        unattended_flags=("--dangerously-skip-permissions",),
        reset_command="/clear",
    ),
    # By itself it works through a daemon, one for each CODEX_HOME, that outlives the pane. The flag leaves that alone,
    # also where one runs; `--disable daemon_auto_start` stops at a question then.
    "codex": Runtime(
        command=("codex", "--no-daemon"),
        process_names=("codex",),
        model_flag="--model",
        unattended_flags=("--dangerously-bypass-approvals-and-sandbox",),
        reset_command="/clear",
    ),
    # pi asks for no permission, so it has no flag that stops it from asking.
    "pi": Runtime(
        command=("pi",),
        process_names=("pi",),
        model_flag="--model",
        reset_command="/new",
        native_heartbeat=True,
    ),
    "opencode": Runtime(
        command=("opencode",),
        process_names=("opencode",),
        model_flag="--model",
        unattended_flags=("--auto",),
        reset_command="/new",
        native_heartbeat=True,
    ),
    "stub": Runtime(command=(), process_names=("stub",), reset_command="/reset", native_heartbeat=True),
}


def known_runtimes(stub_argv: tuple[str, ...] = ()) -> dict[str, Runtime]:
    """The shipped runtimes; the stub's command depends on where the package is installed."""
    return {**KNOWN, "stub": replace(KNOWN["stub"], command=stub_argv)}


def combine(base: Runtime | None, name: str, declared: RuntimeSpec) -> Runtime:
    """A runtime as the roster declares it: over the shipped one of that name, or from nothing."""
    start = base or Runtime(command=(name,), process_names=())
    names = declared.process_names
    if names is None and declared.command is not None:
        names = start.process_names if base else (name,)
    changes = {
        "command": declared.command,
        "process_names": names,
        "model_flag": declared.model_flag,
        "unattended_flags": declared.unattended_flags,
        "args": declared.args,
        "reset_command": declared.reset_command,
        "submit_key": declared.submit_key,
        "native_heartbeat": declared.native_heartbeat,
        "path": declared.path,
    }
    # mypy cannot know which value goes to which field.
    return replace(start, **{key: value for key, value in changes.items() if value is not None})  # type: ignore[arg-type]


def argv(
    runtime: Runtime,
    *,
    model: str | None,
    yolo: bool,
    command: tuple[str, ...] | None,
    inherited: tuple[str, ...] = (),
    args: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """The program and its arguments: those of the runtime, then `inherited` ones, then the agent's own `args`. A
    `command` of the agent replaces all but the last, since the others are meant for the runtime's program."""
    if command is not None:
        return (*command, *args)
    unattended = runtime.unattended_flags if yolo else ()
    chosen = (runtime.model_flag, model) if runtime.model_flag and model else ()
    return (*runtime.command, *unattended, *chosen, *runtime.args, *inherited, *args)
