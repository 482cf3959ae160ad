"""tmux by argument lists: every session in one call per socket, marks checked inside the server, everything bounded.

We accept tmux's output only between a first and a last line of ours, so that a broken tmux never looks like one without
sessions.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.host import Process, TmuxServer
from providers.processes import procfs
from providers.processes.process import Child, Finished, NotInstalledError, SpawnError
from providers.tmux.pane_rows import FORMAT, parse

if TYPE_CHECKING:
    from providers.steps import CaptureDead, KillPane, NoteMission, StepResult

TIMEOUT_S = 5.0
_LIMIT = 32 << 20  # of output: 5,000 sessions are about 1 MB, a capture is up to a few hundred KB
_ARGS_MAX = 12_000  # tmux takes a command of 16 KiB
_FIRST, _LAST = b"@mosaic-first", b"@mosaic-last"
_ENDING = (b"server exited", b"lost server")  # it ended during the call: the next answer is certain
_NAME = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_PANE = re.compile(r"%[0-9]+", re.ASCII)

_LIST = (
    "display-message", "-p", _FIRST.decode(), ";", "list-panes", "-a", "-F", FORMAT,
    ";", "display-message", "-p", _LAST.decode(),
)  # fmt: skip

Processes = Callable[[], Mapping[int, Process]]


class TmuxClient:
    """The tmux of one user; `socket` is a name as for `-L`, and "" the default server."""

    def __init__(self, environ: Mapping[str, str], uid: int, *, timeout_s: float = TIMEOUT_S) -> None:
        hidden = ("TMUX", "TMUX_PANE", "TMUX_TMPDIR", "LC_ALL")
        self._environ = {name: value for name, value in environ.items() if name not in hidden}
        self._environ["LC_ALL"] = "C.UTF-8"
        self._uid, self._timeout_s = uid, timeout_s

    def begin(self, socket: str) -> Child:
        """Start listing; `server()` with the child reads the answer. Raises ObserveError."""
        try:
            return self.spawn(socket, _LIST)
        except NotInstalledError as error:
            raise ObserveError("tmux is not on PATH; install it: sudo apt install tmux") from error
        except SpawnError as error:
            raise ObserveError(str(error)) from error

    def server(self, socket: str, processes: Processes, child: Child | None = None) -> TmuxServer:
        """The server of a socket, with the pane of each session that counts; raises ObserveError."""
        for _ in range(3):
            try:
                done = (child or self.begin(socket)).finish()
            except SpawnError as error:
                raise ObserveError(f"tmux list-panes: {error}") from error
            child = None
            if not done.err.startswith(_ENDING):
                break
        if done.status != 0:
            return self._without_answer(socket, done, processes)
        lines = done.out.split(b"\n")
        if lines[0] != _FIRST or lines[-2:] != [_LAST, b""]:
            raise ObserveError(f"tmux list-panes printed something unexpected: {_short(done.out)}")
        return TmuxServer(state="up", panes=parse(lines[1:-2]))

    def capture(self, socket: str, steps: Sequence[tuple[str, CaptureDead]]) -> Iterator[tuple[str, StepResult]]:
        """The last lines of dead panes; none for a pane that is gone, alive or not the agent's."""
        from providers.steps import StepResult

        nonce = os.urandom(8).hex()
        commands = {
            name: (
                "if-shell", "-F", "-t", step.pane,
                f"#{{&&:#{{pane_dead}},#{{==:#{{@mosaic_pane}},{step.agent}}}}}",
                f"display-message -p '{nonce} {at}' ; capture-pane -p -J -S -{step.lines} -t '{step.pane}'",
            )
            for at, (name, step) in enumerate(steps)
        }  # fmt: skip
        answers, error = self._batch(socket, commands, steps, nonce)
        for at, (name, step) in enumerate(steps):
            if str(at) not in answers and name in error:
                yield name, StepResult(ok=False, changed=False, error=error[name])
                continue
            yield name, StepResult(ok=True, changed=False, output=_tail(answers.get(str(at), ""), step.lines))

    def kill(
        self, socket: str, steps: Sequence[tuple[str, KillPane]], processes: Processes
    ) -> Iterator[tuple[str, StepResult]]:
        """End panes that carry their agent's mark; the server checks the mark and acts in one command."""
        from providers.steps import StepResult

        nonce = os.urandom(8).hex()
        commands = {
            name: (
                "if-shell", "-F", "-t", step.pane, f"#{{==:#{{pane_id}},{step.pane}}}",
                f"display-message -p '{nonce} {at}' ; display-message -p there",
                f"display-message -p '{nonce} {at}' ; display-message -p gone", ";",
                "if-shell", "-F", "-t", step.pane,
                f"#{{&&:#{{==:#{{pane_id}},{step.pane}}},#{{&&:#{{==:#{{pane_pid}},{step.pid}}},"
                f"#{{==:#{{@mosaic_pane}},{step.agent}}}}}}}",
                f"display-message -p killed ; kill-pane -t '{step.pane}'",
            )
            for at, (name, step) in enumerate(steps)
        }  # fmt: skip
        answers, error = self._batch(socket, commands, steps, nonce)
        for at, (name, step) in enumerate(steps):
            words = answers.get(str(at), "").split()
            if "killed" in words:
                yield name, StepResult(ok=True)
            elif "gone" in words:
                yield name, StepResult(ok=True, changed=False)
            elif "there" in words:
                whose = f"agent {step.agent!r}" if step.agent else "nobody"
                text = f"tmux pane {step.pane} does not carry the mark of {whose}, or not the same process; left alone"
                yield name, StepResult(ok=False, changed=False, error=text)
            elif name in error:
                yield name, StepResult(ok=False, changed=False, error=error[name])
            else:
                yield name, self._unanswered(socket, processes)

    def note(self, socket: str, steps: Sequence[tuple[str, NoteMission]]) -> Iterator[tuple[str, StepResult]]:
        """Record on panes that carry their agent's mark which mission they were told; their programs are not
        touched."""
        from providers.steps import StepResult

        nonce = os.urandom(8).hex()
        commands = {
            name: (
                "if-shell", "-F", "-t", step.pane, f"#{{==:#{{@mosaic_pane}},{step.agent}}}",
                f"display-message -p '{nonce} {at}' ; "
                f"set-option -p -t '{step.pane}' @mosaic_mission '{step.mission}'",
            )
            for at, (name, step) in enumerate(steps)
        }  # fmt: skip
        answers, error = self._batch(socket, commands, steps, nonce)
        for at, (name, step) in enumerate(steps):
            if str(at) in answers:
                yield name, StepResult(ok=True)
            else:
                text = error.get(name) or f"no tmux pane {step.pane} carries the mark of agent {step.agent!r}"
                yield name, StepResult(ok=False, changed=False, error=text)

    def _batch(
        self,
        socket: str,
        commands: Mapping[str, Sequence[str]],
        steps: Sequence[tuple[str, CaptureDead | KillPane | NoteMission]],
        nonce: str,
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Answers by the number of the step, and errors by its id."""
        from providers.steps import NoteMission

        errors = {
            name: f"{step.pane!r} or {step.agent!r} is not a name that tmux can be asked for safely"
            for name, step in steps
            if not (_PANE.fullmatch(step.pane) and (_NAME.fullmatch(step.agent) or _is_others(step)))
            or (isinstance(step, NoteMission) and not _NAME.fullmatch(step.mission))
        }
        answers: dict[str, str] = {}
        for names, argv in _chunks({name: one for name, one in commands.items() if name not in errors}):
            try:
                done = self.spawn(socket, argv).finish()
            except SpawnError as error:
                errors |= dict.fromkeys(names, f"tmux: {error}")
                continue
            for part in done.out.decode("utf-8", "replace").split(nonce + " ")[1:]:
                number, _, text = part.partition("\n")
                answers[number] = text
            if done.status != 0 and not _no_server(done.err) and not done.err.startswith(_ENDING):
                errors |= dict.fromkeys(names, f"tmux: {_short(done.err)}")
        return answers, errors

    def spawn(self, socket: str, argv: Sequence[str], stdin: bytes = b"") -> Child:
        """Begin one tmux command of ours. Raises SpawnError."""
        where = ["-L", socket] if socket else []
        return Child(["tmux", "-u", *where, *argv], self._environ, timeout_s=self._timeout_s, limit=_LIMIT, stdin=stdin)

    def _without_answer(self, socket: str, done: Finished, processes: Processes) -> TmuxServer:
        if done.err.startswith(b"no current "):  # "target": the server answers, and has no session at all
            return TmuxServer(state="up")
        if not _no_server(done.err):
            raise ObserveError(f"tmux list-panes failed with status {done.status}: {_short(done.err)}")
        path = os.path.join(os.path.realpath("/tmp"), f"tmux-{self._uid}", socket or "default")  # noqa: S108 - tmux's own
        for process in processes().values():
            if (
                process.comm.startswith("tmux: server")
                and process.state != "Z"
                and path in procfs.listens_at(process.pid)
            ):
                return TmuxServer(state="lost", pid=process.pid, start_ticks=process.start_ticks)
        return TmuxServer(state="down")

    def _unanswered(self, socket: str, processes: Processes) -> StepResult:
        from providers.steps import StepResult

        try:
            server = self.server(socket, processes)
        except ObserveError as error:
            return StepResult(ok=False, changed=False, error=str(error))
        if server.state == "down":
            return StepResult(ok=True, changed=False)
        text = "tmux gave no answer" if server.state == "up" else f"tmux server {server.pid} has lost its socket"
        return StepResult(ok=False, changed=False, error=text)


def _is_others(step: CaptureDead | KillPane | NoteMission) -> bool:
    """Whether the step concerns a pane that is not an agent's."""
    from providers.steps import KillPane

    return isinstance(step, KillPane) and not step.agent


def _chunks(commands: Mapping[str, Sequence[str]]) -> Iterator[tuple[list[str], list[str]]]:
    names: list[str] = []
    argv: list[str] = []
    for name, one in commands.items():
        if argv and sum(map(len, argv)) + len(argv) + sum(map(len, one)) + len(one) > _ARGS_MAX:
            yield names, argv
            names, argv = [], []
        names.append(name)
        argv += [";", *one] if argv else one
    if argv:
        yield names, argv


def _tail(text: str, count: int) -> str:
    """The last lines. tmux's note on the pane's end is at the bottom of its screen, far below the program's output: of
    the empty lines in between, one is kept."""
    lines = [line.rstrip() for line in text.rstrip().split("\n")]
    kept = [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]
    return "\n".join(kept[-count:])


def _no_server(err: bytes) -> bool:
    text = err.decode("utf-8", "replace")
    if text.startswith("no server running on "):
        return True
    return text.startswith("error connecting to ") and (
        "(No such file or directory)" in text or "(Connection refused)" in text
    )


def _short(text: bytes) -> str:
    return repr(text[:200].decode("utf-8", "replace").strip())
