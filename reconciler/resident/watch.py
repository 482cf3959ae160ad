"""Watch: the resident loop. It sleeps until something wakes it up, looks at everything, and acts like any other run.

Bounds: the first event after a quiet time is answered at once; after that the loop never spends more than about a third
of its time looking, however many events there are (see `pace.py`). A full look happens at least every `interval`.
"""

from __future__ import annotations

import errno
import random
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from providers.shipped import release
from reconciler.context.host import HostContext, host_context
from reconciler.context.settings import read_settings, settings_path
from reconciler.errors import ExitCode, Locked, MosaicError, Unavailable
from reconciler.helpers.sd_notify import Notifier
from reconciler.loop.host_guard import checked
from reconciler.loop.result import RunOptions, RunResult
from reconciler.notify.deliveries import Deliveries
from reconciler.resident.attention import AttentionSigns
from reconciler.resident.pace import REST_MIN_S, Pace, waits_for_heartbeat
from reconciler.resident.tip import local_tip
from reconciler.resident.wake_reason import WakeReason
from reconciler.resident.wakeups import WakeSources
from reconciler.responder.serve import changed
from reconciler.run.run import run_locked
from reconciler.source.intake import open_store, source_spec
from reconciler.state.lock import run_lock, sub_store
from reconciler.status.conditions import ConditionReason, ConditionType
from specs.dataclass import replace

if TYPE_CHECKING:
    from reconciler.context.settings import Settings
    from reconciler.state.store import Store

LOCK_WAIT_S = 60.0  # how long a look waits for another run, such as an operator's own
RETRY_S = 5.0  # after a look that failed, or that could not see everything
POLL_MIN_S = 15.0  # a remote is never asked more often, whatever the interval


def watch(
    options: RunOptions,
    output: Callable[[RunResult], None],
    around: HostContext | None = None,
    complain: Callable[[MosaicError], None] = lambda error: print(error.render(), file=sys.stderr, flush=True),
) -> ExitCode:
    """Run until SIGTERM or SIGINT, or until another version is installed, whose texts this one would replace by its
    own; `output` gets each run's result, `complain` the errors of runs that failed to start.

    Raises MosaicError if the loop cannot begin at all: no fleet named, another resident loop holds it.
    """
    ended: list[int] = []
    here = around or host_context(stop=lambda: bool(ended))
    sources = WakeSources()
    try:
        return _Watcher(replace(options, trigger="watch"), output, complain, here, sources, ended).run()
    finally:
        sources.close()


class _Ended(Exception):
    """A signal arrived while we waited for another run."""


class _Watcher:
    def __init__(
        self,
        options: RunOptions,
        output: Callable[[RunResult], None],
        complain: Callable[[MosaicError], None],
        here: HostContext,
        sources: WakeSources,
        ended: list[int],
    ) -> None:
        self._options, self._output, self._complain = options, output, complain
        self._sources, self._ended = sources, ended
        self._notifier = Notifier(here.environ)
        self._outer, self._pinged = here, 0.0
        self._here = replace(here, stop=self._stop, sleep=self._wait, looking=self._looks)
        self._due = Pace()
        self._settings: Settings = read_settings(settings_path(here.facts.config_home))
        self._options = options = checked(options, self._settings, here.host)
        self._spec, _ = source_spec(options, self._settings, here.facts, here.environ)
        self._store: Store = open_store(self._spec, options, self._settings, here.facts, now=here.wall())
        self._interval = 60.0
        self._remote = True
        self._early: set[WakeReason] = set()  # what arrived while a run was under way ...
        self._covered: set[WakeReason] = set()  # ... and what of it was in a later look of the same run
        self._tip, self._may_cut, self._cut_short = "", True, False
        self._taken = False  # the commit at the tip is in force, and nothing was wrong with the source
        self._program = changed(release.__file__)
        self._signs = AttentionSigns(here)
        self._deliveries = Deliveries(self._store, here.environ, here.facts.uid, "watch")

    def run(self) -> ExitCode:
        handlers: dict[int, Callable[[], None]] = {
            signal.SIGTERM: lambda: self._ended.append(signal.SIGTERM),
            signal.SIGINT: lambda: self._ended.append(signal.SIGINT),
            signal.SIGHUP: lambda: None,
        }
        resident = sub_store(self._store, "resident")
        with run_lock(resident, now=self._here.wall()):
            self._sources.on_signals(handlers)
            self._prepare()
            reasons: set[WakeReason] = set(WakeReason)
            first = True
            while not self._ended:
                if changed(release.__file__) not in ((0, 0), self._program):
                    print("mosaic: another version was installed; this process ends", file=sys.stderr)
                    break
                self._look(reasons)
                if first:
                    self._notifier.ready("watching")
                    self._prepare_more()
                    first = False
                reasons = self._sleep()
            self._notifier.stopping()
            self._deliveries.close()
        if not self._ended:
            return ExitCode.OK
        return ExitCode.TERMINATED if self._ended[0] == signal.SIGTERM else ExitCode.INTERRUPTED

    def _prepare(self) -> None:
        from reconciler.git.location import parse_place
        from reconciler.helpers.descriptors import allow_many

        allow_many()
        self._remote = parse_place(self._spec).path is None
        self._store.guard(self._store.runtime / "trigger.sock")
        try:
            self._sources.listen(self._store.runtime / "trigger.sock")
        except OSError as error:
            message = (
                f"{self._store.runtime / 'trigger.sock'} cannot be opened ({error}): `mosaic fleet sync` finds no loop"
            )
            self._complain(Unavailable(message))

    def _prepare_more(self) -> None:
        """See `prepare.py`; not if something has happened already."""
        self._early |= self._sources.wait(0.0)
        if not self._early and not self._ended:
            from reconciler.resident.prepare import prepare

            here, host = self._here, self._options.host or self._here.facts.hostname
            prepare(self._spec, self._settings, self._store.state, here.facts, host=host, now=here.wall())

    def _follow_files(self) -> None:
        """Watch heartbeats, the kill switch, and commits to a local repository, even if it appears later or again."""
        from reconciler.git.location import parse_place

        try:
            self._sources.watch_heartbeats(Path(self._here.facts.run_dir))
        except OSError as error:
            self._unwatched("heartbeats", error)
        if self._remote:
            return
        with suppress(MosaicError):  # there is none just now: the run says so
            repository = parse_place(self._spec).repo()
            if repository is not None:
                try:
                    self._sources.watch_repository(repository.git_dir, repository.common_dir)
                except OSError as error:
                    self._unwatched("commits", error)

    def _unwatched(self, what: str, error: OSError) -> None:
        # A user has 128 inotify instances, for all programs together.
        more = "sudo sysctl fs.inotify.max_user_instances=1024, then restart this"
        self._complain(
            Unavailable(
                f"files cannot be watched ({error.strerror}): {what} are seen at the next full look",
                help=more if error.errno == errno.EMFILE else "",
            )
        )

    def _look(self, reasons: set[WakeReason]) -> None:
        """Make one run, or report an error; then decide when to look next."""
        here, began = self._here, self._here.monotonic()
        self._due.begin(began)
        self._taken, self._covered = False, set()
        if WakeReason.HANGUP in reasons:
            self._reread()
        asked = bool(reasons & {WakeReason.SYNC, WakeReason.HANGUP})
        self._follow_files()
        self._tip, was_cut_short, self._cut_short = self._local_tip(), self._cut_short, False
        self._may_cut = not was_cut_short  # otherwise a repository that never rests would keep us from ever acting
        fetch = self._options.fetch and (not self._remote or asked or began >= self._due.fetch)
        options = replace(self._options, fetch=fetch)
        result: RunResult | None = None
        retry = RETRY_S
        try:
            with run_lock(self._store, now=here.wall(), wait_s=LOCK_WAIT_S, sleep=self._wait_for_lock):
                result = run_locked(self._spec, options, self._settings, here, self._store, force=asked)
        except _Ended:
            return
        except Locked as error:
            self._complain(error)
        except MosaicError as error:
            self._complain(error)
            retry = self._interval
        if fetch and self._remote:
            self._due.fetch = began + max(POLL_MIN_S, self._interval) * random.uniform(0.9, 1.1)  # noqa: S311  # jitter
        self._follow()
        now = here.monotonic()
        self._due.end(began, now)
        self._due.look = now + retry
        if result is not None:
            self._deliveries.begin(result.notices, result.sockets)
            self._signs.follow(result)
            self._plan_ahead(result, now)
            self._output(result)
        else:
            self._early |= self._covered

    def _plan_ahead(self, result: RunResult, now: float) -> None:
        plan, source = result.plan, result.status.condition(ConditionType.SOURCE_READY)
        self._taken = source is not None and source.reason is ConditionReason.REVISION_ACCEPTED
        self._interval = result.interval or self._interval
        times = [held.until for held in plan.held if held.until is not None]
        soonest = min(until - self._here.wall() for until in (*times, result.notices_at))
        if plan.settling:
            soonest = min(soonest, 1.0)
        if plan.unknown or plan.unclear:
            soonest = min(soonest, RETRY_S)  # things that cannot be seen may be unable to wake us up too
        self._due.look = now + min(self._interval, max(0.05, soonest))
        self._due.waiting = result.messages or waits_for_heartbeat(plan)
        living = [view.pid for view in plan.views.values() if view.session == "alive"]
        if not self._sources.follow_processes(living):
            self._due.look = now + REST_MIN_S

    def _follow(self) -> None:
        """Keep hearing from systemd; a lost connection is reopened at the next look."""
        if self._here.follow_units is not None:
            self._sources.follow_bus(*self._here.follow_units())

    def _reread(self) -> None:
        """Read the settings again, except the repository: lock, state and trigger socket belong to its fleet."""
        from reconciler.git.location import parse_place

        path, before = settings_path(self._here.facts.config_home), self._settings
        try:
            settings = read_settings(path)
            spec, _ = source_spec(self._options, settings, self._here.facts, self._here.environ)
            if spec != self._spec:
                settings = replace(settings, source=before.source, ref=before.ref)  # a branch of that repository
                named, kept = parse_place(spec).shown, parse_place(self._spec).shown
                self._complain(
                    MosaicError(
                        f"{path} names another repository now, {named}: this loop keeps {kept} until it is restarted",
                        help="systemctl --user restart mosaic-reconcile-watch.service",
                    )
                )
            self._settings = settings
        except MosaicError as error:
            self._complain(error)  # the last good settings stay in force

    def _stop(self) -> bool:
        """Called between the steps of a run, when it also tells systemd that the run continues. A newer commit ends a
        run early: it may fix the very thing that this one waits for."""
        self._ping_watchdog()
        if self._outer.stop() or self._cut_short:
            return True
        self._early |= self._sources.wait(0.0)
        if self._may_cut and WakeReason.GIT in self._early:
            self._cut_short = self._local_tip() != self._tip
        return self._cut_short

    def _moved(self) -> bool:
        """Whether what happened in a local repository may matter. `git add`, `git status` and every editor write there
        too: after such an event, only another tip is a reason to look, unless something was wrong with the source."""
        return not self._taken or self._local_tip() != self._tip

    def _local_tip(self) -> str:
        return "" if self._remote else local_tip(self._spec, self._settings.ref)

    def _looks(self) -> None:
        """A look at the whole host begins, and shows all that units and processes have done so far: most of what is
        heard is what a run did itself. A process that looks alive by mistake is heard again (`follow_processes`)."""
        self._early |= self._sources.wait(0.0)
        covered = self._early & {WakeReason.UNITS, WakeReason.PROCESS}
        self._covered, self._early = self._covered | covered, self._early - covered

    def _wait(self, seconds: float) -> None:
        self._ping_watchdog()
        self._outer.sleep(seconds)

    def _wait_for_lock(self, seconds: float) -> None:
        if self._ended:
            raise _Ended
        self._wait(seconds)

    def _ping_watchdog(self) -> None:
        """Keep the watchdog from ending a run that waits for something slow: it does not hang."""
        every, now = self._notifier.watchdog_s, self._outer.monotonic()
        if every is not None and now - self._pinged >= every / 2:
            self._pinged = now
            self._notifier.alive()

    def _sleep(self) -> set[WakeReason]:
        """Wait until it is time, or until something happened and the rest after the last look is over."""
        reasons, self._early = self._early, set()
        ping_s = self._notifier.watchdog_s
        while not self._ended:
            if WakeReason.GIT in reasons and not self._moved():
                reasons.remove(WakeReason.GIT)
            now, due = self._here.monotonic(), self._due.due(reasons)
            if ping_s is not None:
                self._notifier.alive()
            if now >= due:
                return reasons
            reasons |= self._sources.wait(min(due - now, ping_s or due - now, self._signs.due_in()))
            if self._signs.changed(self._sources.take_records()):
                reasons.add(WakeReason.ATTENTION)
        return reasons
