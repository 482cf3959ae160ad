"""Calls in flight to systemd: each with its deadline, and the meaning of its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from providers.launch.environment import START_STATUS
from providers.names import agent_of_unit

if TYPE_CHECKING:
    from providers.steps import StepResult, UnitJob
    from providers.systemd.connection import Frame

Sink = Callable[[str, "StepResult"], None]

# The other side went away before it answered; we do not know whether it did what we asked.
GONE = frozenset(
    f"org.freedesktop.DBus.Error.{name}"
    for name in ("NoReply", "Disconnected", "NameHasNoOwner", "ServiceUnknown", "TimedOut")
)
_NO_SUCH_UNIT = "org.freedesktop.systemd1.NoSuchUnit"
_METHODS = {"start": "StartUnit", "stop": "StopUnit", "restart": "RestartUnit", "reload": "ReloadUnit"}
_WELL = frozenset(("done", "skipped"))


class Call:
    """One method call. `retry`: repeating it on a new connection does no harm."""

    def __init__(
        self, what: str, member: str, signature: str, body: tuple[Any, ...], *, timeout_s: float, retry: bool = True
    ) -> None:
        self.what, self.member, self.signature, self.body = what, member, signature, body
        self.timeout_s, self.retry = timeout_s, retry
        self.address: dict[str, str] = {}  # if another object than systemd's manager is called
        self.deadline = 0.0
        self.job = ""  # object path of the job that we wait for
        self.over = False

    def replied(self, frame: Frame) -> Call | None:
        """Handle the reply; returns a further call if one is needed. Sets `over`, or `job`."""
        self.over = True
        if frame.error:
            return self.refused(frame.error, frame.text())
        try:
            return self.answered(frame)
        except (IndexError, TypeError):
            self.over = True
            self.failed(f"systemd's answer to {self.member} ({self.what}) has an unknown form")
            return None

    def answered(self, frame: Frame) -> Call | None:
        raise NotImplementedError

    def refused(self, error: str, text: str) -> Call | None:
        self.failed(f"systemd refused to {self.what}: {text} ({error.rpartition('.')[2]})")
        return None

    def failed(self, reason: str) -> None:
        raise NotImplementedError

    def late(self) -> None:
        self.over = True
        self.failed(f"systemd did not answer to {self.member} ({self.what}) within {self.timeout_s:g} s")


class Ask(Call):
    """A call whose caller waits for the reply."""

    frame: Frame | None = None
    error: str = ""

    def answered(self, frame: Frame) -> None:
        self.frame = frame

    def failed(self, reason: str) -> None:
        self.error = reason


class Reload(Call):
    """daemon-reload, for every step that asks for it."""

    def __init__(self, ids: Sequence[str], sink: Sink, timeout_s: float) -> None:
        super().__init__("reload its unit files", "Reload", "", (), timeout_s=timeout_s)
        self._ids, self._sink = ids, sink

    def answered(self, frame: Frame) -> None:  # noqa: ARG002 - it is empty
        from providers.steps import StepResult

        for name in self._ids:
            self._sink(name, StepResult(ok=True))

    def failed(self, reason: str) -> None:
        from providers.steps import StepResult

        for name in self._ids:
            self._sink(name, StepResult(ok=False, changed=False, error=reason))


class ResetFailed(Call):
    """Forget that a unit failed; a unit that is not loaded has nothing to forget."""

    def __init__(self, name: str, step: UnitJob, sink: Sink) -> None:
        super().__init__(f"reset-failed {step.unit}", "ResetFailedUnit", "s", (step.unit,), timeout_s=step.timeout_s)
        self._name, self._sink = name, sink

    def answered(self, frame: Frame) -> None:  # noqa: ARG002 - it is empty
        from providers.steps import StepResult

        self._sink(self._name, StepResult(ok=True))

    def refused(self, error: str, text: str) -> Call | None:
        from providers.steps import StepResult

        if error == _NO_SUCH_UNIT:
            self._sink(self._name, StepResult(ok=True, changed=False))
            return None
        return super().refused(error, text)

    def failed(self, reason: str) -> None:
        from providers.steps import StepResult

        self._sink(self._name, StepResult(ok=False, changed=False, error=reason))


class Queued(Call):
    """A call whose reply names a job; the job's end is the result."""

    def ended(self, result: str) -> Call | None:
        """Handle the job's result (done, failed, timeout, dependency, canceled, ...)."""
        raise NotImplementedError

    def answered(self, frame: Frame) -> None:
        self.over, self.job = False, str(frame.body()[0])


class Job(Queued):
    """Start, stop or restart one unit, done when systemd's job has ended."""

    def __init__(self, name: str, step: UnitJob, sink: Sink) -> None:
        super().__init__(
            f"{step.verb} {step.unit}", _METHODS[step.verb], "ss", (step.unit, "replace"),
            timeout_s=step.timeout_s, retry=step.verb != "restart",
        )  # fmt: skip
        self.name, self.step, self.sink = name, step, sink

    def ended(self, result: str) -> Call | None:
        from providers.steps import StepResult

        self.over = True
        if result in _WELL:
            self.sink(self.name, StepResult(ok=True))
            return None
        if result == "failed" and self.step.verb != "stop":
            return Why(self)
        self.failed(f"{self.what} ended as {result!r}; see: systemctl --user status {self.step.unit}")
        return None

    def refused(self, error: str, text: str) -> Call | None:
        from providers.steps import StepResult

        if error == _NO_SUCH_UNIT and self.step.verb == "stop":
            self.sink(self.name, StepResult(ok=True, changed=False))
            return None
        return super().refused(error, text)

    def failed(self, reason: str) -> None:
        from providers.steps import StepResult

        self.sink(self.name, StepResult(ok=False, error=reason))

    def late(self) -> None:
        if not self.job:
            super().late()
            return
        self.over = True
        self.failed(
            f"{self.what} did not end within {self.timeout_s:g} s and continues; "
            f"see: systemctl --user list-jobs; systemctl --user status {self.step.unit}"
        )


class Why(Call):
    """After a start or a reload that failed: how its program ended, in words if it is one of ours."""

    def __init__(self, job: Job) -> None:
        program = "ExecReload" if job.step.verb == "reload" else "ExecStart"
        super().__init__(job.what, "Get", "ss", ("org.freedesktop.systemd1.Service", program), timeout_s=1.0)
        self.address = {"path": object_path(job.step.unit), "interface": "org.freedesktop.DBus.Properties"}
        self._job = job

    def answered(self, frame: Frame) -> None:
        runs = frame.body()[0][1]  # a(sasbttttuii): ..., how it ended (CLD_EXITED is 1), with which status or signal
        code, status = (int(runs[-1][-2]), int(runs[-1][-1])) if runs else (0, 0)
        if code != 1:
            self._report(f" (killed by signal {status})" if code else "")
            return
        ours = START_STATUS.get(status) if agent_of_unit(self._job.step.unit) else None
        self._report(f": {ours}" if ours else f" (its program ended with status {status})")

    def failed(self, reason: str) -> None:  # noqa: ARG002 - the job's own failure is what counts
        self._report("")

    def _report(self, why: str) -> None:
        self._job.failed(f"{self._job.what} failed{why}; see: systemctl --user status {self._job.step.unit}")


def object_path(unit: str) -> str:
    """The D-Bus path of a unit: every byte that is not a letter (or a digit after the first) as `_xx`."""
    plain = "".join(
        chr(byte) if chr(byte).isascii() and (chr(byte).isalpha() or (chr(byte).isdigit() and at)) else f"_{byte:02x}"
        for at, byte in enumerate(unit.encode())
    )
    return f"/org/freedesktop/systemd1/unit/{plain}"
