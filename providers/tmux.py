"""tmux, asked by argument lists: every session in one call per socket, marks checked inside the server, all bounded.

What tmux prints is believed only between a first and a last line of ours, so that a broken tmux is never taken for one
without sessions.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from providers import procfs
from providers.base import ObserveError
from providers.host import Pane, Process, TmuxServer
from providers.spawn import Child, Finished, NotInstalledError, SpawnError
from providers.steps import CaptureDead, KillSession, NoteMission, StepResult

TIMEOUT_S = 5.0
_LIMIT = 32 << 20  # of output: 5,000 sessions are about 1 MB, a capture is up to a few hundred KB
_ARGS_MAX = 12_000  # tmux takes a command of 16 KiB
_FIRST, _LAST = b"@mosaic-first", b"@mosaic-last"
_ENDING = (b"server exited", b"lost server")  # it ended while it was asked: the next answer is certain
_NAME = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)

# Numbers first, the session's name next (tmux allows no ":" in it), the free text last. Each field is asked for once:
# the command costs tmux a look into /proc, which is half of the whole answer's time.
_NUMBERS = (
    "pane_pid", "pane_dead", "pane_dead_status", "session_created", "session_activity", "window_activity",
    "pane_activity", "session_attached", "pane_in_mode", "window_index", "pane_index",
)  # fmt: skip
_WORDS = (
    "session_name", "pane_id", "@mosaic_agent", "@mosaic_fleet", "@mosaic_launch", "@mosaic_mission", "@mosaic_pane",
)  # fmt: skip
_COMMAND, _TITLE = "@c", ":@t:"
FORMAT = (
    "@p:"
    + ":".join(f"#{{{name}}}" for name in (*_NUMBERS, *_WORDS))
    + f":{_COMMAND}:#{{pane_current_command}}{_TITLE}#{{=256:pane_title}}"
)
_LIST = (
    "display-message", "-p", _FIRST.decode(), ";", "list-panes", "-a", "-F", FORMAT,
    ";", "display-message", "-p", _LAST.decode(),
)  # fmt: skip

Processes = Callable[[], Mapping[int, Process]]


class Tmux:
    """The tmux of one user; `socket` is a name as for `-L`, and "" the default server."""

    def __init__(self, environ: Mapping[str, str], uid: int, *, timeout_s: float = TIMEOUT_S) -> None:
        hidden = ("TMUX", "TMUX_PANE", "TMUX_TMPDIR", "LC_ALL")
        self._environ = {name: value for name, value in environ.items() if name not in hidden}
        self._environ["LC_ALL"] = "C.UTF-8"
        self._uid, self._timeout_s = uid, timeout_s

    def begin(self, socket: str) -> Child:
        """Start listing; `server()` with the child takes the answer. Raises ObserveError."""
        try:
            return self.spawn(socket, _LIST)
        except NotInstalledError as error:
            raise ObserveError("tmux is not on PATH; install it: sudo apt install tmux") from error
        except SpawnError as error:
            raise ObserveError(str(error)) from error

    def server(self, socket: str, processes: Processes, child: Child | None = None) -> TmuxServer:
        """The server of a socket and the pane that counts of each of its sessions; raises ObserveError."""
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
        """The last lines of dead panes; nothing for one that is gone, alive or not the agent's."""
        nonce = os.urandom(8).hex()
        commands = {
            name: (
                "if-shell", "-F", "-t", f"={step.session}:",
                f"#{{&&:#{{pane_dead}},#{{==:#{{@mosaic_agent}},{step.agent}}}}}",
                f"display-message -p '{nonce} {at}' ; capture-pane -p -J -S -{step.lines} -t '={step.session}:'",
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
        self, socket: str, steps: Sequence[tuple[str, KillSession]], processes: Processes
    ) -> Iterator[tuple[str, StepResult]]:
        """End sessions that carry their agent's mark; the server reads the mark and acts in one go."""
        nonce = os.urandom(8).hex()
        commands = {
            name: (
                "if-shell", "-F", "-t", f"={step.session}:", "#{session_name}",
                f"display-message -p '{nonce} {at}' ; display-message -p there",
                f"display-message -p '{nonce} {at}' ; display-message -p gone", ";",
                "if-shell", "-F", "-t", f"={step.session}:", f"#{{==:#{{@mosaic_agent}},{step.agent}}}",
                f"display-message -p killed ; kill-session -t '={step.session}'",
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
                text = f"tmux session {step.session!r} does not carry the mark of agent {step.agent!r}; left alone"
                yield name, StepResult(ok=False, changed=False, error=text)
            elif name in error:
                yield name, StepResult(ok=False, changed=False, error=error[name])
            else:
                yield name, self._unanswered(socket, processes)

    def note(self, socket: str, steps: Sequence[tuple[str, NoteMission]]) -> Iterator[tuple[str, StepResult]]:
        """Write down in sessions that carry their agent's mark what they were told; nothing of a pane is touched."""
        nonce = os.urandom(8).hex()
        commands = {
            name: (
                "if-shell", "-F", "-t", f"={step.session}:", f"#{{==:#{{@mosaic_agent}},{step.agent}}}",
                f"display-message -p '{nonce} {at}' ; "
                f"set-option -t '={step.session}:' @mosaic_mission '{step.mission}'",
            )
            for at, (name, step) in enumerate(steps)
        }  # fmt: skip
        answers, error = self._batch(socket, commands, steps, nonce)
        for at, (name, step) in enumerate(steps):
            if str(at) in answers:
                yield name, StepResult(ok=True)
            else:
                text = error.get(name) or f"no tmux session {step.session!r} carries the mark of agent {step.agent!r}"
                yield name, StepResult(ok=False, changed=False, error=text)

    def _batch(
        self,
        socket: str,
        commands: Mapping[str, Sequence[str]],
        steps: Sequence[tuple[str, CaptureDead | KillSession | NoteMission]],
        nonce: str,
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Answers by the number of the step, and errors by its id."""
        errors = {
            name: f"{step.session!r} or {step.agent!r} is not a name that tmux can be asked for safely"
            for name, step in steps
            if not (_NAME.fullmatch(step.session) and _NAME.fullmatch(step.agent))
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
        if done.err.startswith(b"no current "):  # "target": a server that answers, and has no session at all
            return TmuxServer(state="up")
        if not _no_server(done.err):
            raise ObserveError(f"tmux list-panes failed with status {done.status}: {_short(done.err)}")
        path = os.path.join(os.path.realpath("/tmp"), f"tmux-{self._uid}", socket or "default")  # noqa: S108
        for process in processes().values():
            if (
                process.comm.startswith("tmux: server")
                and process.state != "Z"
                and path in procfs.listens_at(process.pid)
            ):
                return TmuxServer(state="lost", pid=process.pid, start_ticks=process.start_ticks)
        return TmuxServer(state="down")

    def _unanswered(self, socket: str, processes: Processes) -> StepResult:
        try:
            server = self.server(socket, processes)
        except ObserveError as error:
            return StepResult(ok=False, changed=False, error=str(error))
        if server.state == "down":
            return StepResult(ok=True, changed=False)
        text = "tmux gave no answer" if server.state == "up" else f"tmux server {server.pid} has lost its socket"
        return StepResult(ok=False, changed=False, error=text)


def parse(lines: Sequence[bytes]) -> tuple[Pane, ...]:
    """The pane that counts of each session, from lines of FORMAT; raises ObserveError for anything else.

    People split windows, and move panes about. Which pane is the agent's is written on the pane itself (@mosaic_pane).
    """
    sessions: dict[str, list[tuple[bool, int, int, Pane]]] = {}
    homes: set[str] = set()
    strays: dict[str, Pane] = {}
    for line in lines:
        fields = line.split(b":", 20)
        try:
            if fields[0] != b"@p" or len(fields) < 21:
                raise ValueError
            pid, dead, status, created, *active, attached, mode, window, index = (
                int(field or 0) for field in fields[1:12]
            )
            words = [field.decode("utf-8", "replace") for field in fields[12:]]
            session, pane_id, mark, fleet, launch, mission, own, sign, text = words
            if sign != _COMMAND:
                mark = fleet = launch = mission = own = ""  # someone put a ":" into a mark: it is not one of ours
            command, _, title = text.partition(_TITLE)
            pane = Pane(
                session=session, pid=pid, dead=bool(dead), dead_status=status if fields[3] else None, command=command,
                mark=mark, fleet=fleet, launch=launch, mission=mission, created=float(created),
                activity=float(max(active)), attached=attached, in_mode=bool(mode), title=title, id=pane_id,
            )  # fmt: skip
        except (ValueError, IndexError) as error:
            raise ObserveError(f"tmux list-panes printed a line that is not a pane: {_short(line)}") from error
        sessions.setdefault(session, []).append((not own or own != mark, window, index, pane))
        if own and not dead and own == mark:
            homes.add(own)
        elif own and not dead:
            strays.setdefault(own, replace(pane, mark=own, fleet="", launch="", moved=True))
    # A pane may be seen in several sessions at once (session groups, linked windows): at home is where it counts.
    moved = {own: pane for own, pane in strays.items() if own not in homes}
    guests: dict[str, tuple[str, ...]] = {}
    for own, pane in moved.items():
        guests[pane.session] = (*guests.get(pane.session, ()), own)
    found = [
        replace(min(rows, key=_place)[3], panes=len(rows), guests=guests.get(session, ()))
        for session, rows in sessions.items()
    ]
    return (*found, *moved.values())


def _place(row: tuple[bool, int, int, Pane]) -> tuple[bool, int, int]:
    return row[:3]


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
    """The last lines. What became of the pane stands at the bottom of its screen, far below what the program wrote: of
    the empty lines between them one is kept."""
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
