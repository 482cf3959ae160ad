"""The reconciler's memory on this host: what it owns, what happened, what somebody requested.

Guarantees: a file is replaced whole or not at all; a damaged file is set aside and replaced by the careful default,
which never leads to a deletion or a restart; a failed write raises StateError and leaves the old file unchanged; a
read-only store writes nothing, anywhere.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from providers.base import Parsed
from reconciler.errors import InvalidConfig, MosaicError, Unavailable
from reconciler.helpers.atomic_files import make_folder, read_optional, set_aside, write_atomic
from reconciler.helpers.sealed_json import Damaged, seal, unseal
from reconciler.model import AgentHistory, History, Inventory
from reconciler.state.codec import (
    history_from_json,
    history_to_json,
    inventory_from_json,
    inventory_to_json,
    suspensions_from_json,
    suspensions_to_json,
)
from specs.compiled import Fleet, Suspension, fleet_from_json, fleet_to_json

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.status.status import FleetStatus

T = TypeVar("T")
CAREFUL_DELAY_S = 300.0  # for agents whose history was lost: the default longest wait
LOST_SUSPENSIONS = (
    "the list of suspensions was damaged; `mosaic fleet unsuspend --all` lifts this once it is clear what should run"
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class StateError(MosaicError):
    """The state folder could not be written; its content is unharmed."""


class ReadOnlyStore(RuntimeError):
    """Something tried to write during a preview: a bug of ours."""


class Store:
    """One fleet's state on this host. `warnings` collects sentences about files that had to be set aside."""

    def __init__(self, state: Path, runtime: Path, *, read_only: bool = False) -> None:
        self.state = state
        self.runtime = runtime
        self.read_only = read_only
        self.warnings: list[str] = []
        self._seen: dict[Path, tuple[tuple[int, int, int], Any]] = {}
        self._desired: tuple[tuple[object, ...], Fleet] | None = None

    @classmethod
    def open(cls, facts: HostFacts, fleet: str, *, read_only: bool = False) -> Store:
        """The store of a fleet; its folders are made (0700) at the first write."""
        if not _NAME.fullmatch(fleet):
            raise InvalidConfig(
                f'"{fleet}" cannot be the name of a fleet', help="use letters, digits, '_', '-' and '.'"
            )
        return cls(
            Path(facts.state_home, "mosaic", fleet), Path(facts.runtime_dir, "mosaic", fleet), read_only=read_only
        )

    # --- what we own, and what happened ---

    def load_inventory(self) -> Inventory:
        """A damaged inventory counts as empty: what is not owned is not deleted."""
        instead = "nothing is deleted until it is known again what is ours"
        return self.load("inventory.json", inventory_from_json, instead) or Inventory()

    def save_inventory(self, inventory: Inventory) -> None:
        """Raises StateError."""
        self.save("inventory.json", inventory, inventory_to_json)

    def load_history(self, *, now: float) -> History:
        """After a damaged history, every known agent counts as started just now and has to wait the longest."""
        instead = "an agent that fails waits five minutes before it is started again"
        found = self.load("history.json", history_from_json, instead)
        if isinstance(found, History):
            return found
        if found is None:
            return History()
        careful = careful_history(self.load_inventory(), self.load_status(), now)
        if not self.read_only:
            self.save_history(careful)
        return careful

    def save_history(self, history: History) -> None:
        """Raises StateError."""
        self.save("history.json", history, history_to_json)

    # --- the desired state, compiled ---

    def load_desired(self, *, revision: str, host: str, inputs: str) -> Fleet | None:
        """The compiled fleet of exactly this commit, host and `inputs` (a digest of everything else that it depends
        on), or None."""
        path = self.state / "desired.json"
        wanted = (revision, host, inputs, _signature(path))
        if self._desired is not None and self._desired[0] == wanted:
            return self._desired[1]  # the same object again, so that providers' caches by identity stay valid
        try:
            raw = read_optional(path)
            if raw is None:
                return None
            fleet = fleet_from_json(unseal(raw, revision=revision, host=host, inputs=inputs))
            self._desired = (wanted, fleet)
            return fleet
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # from another commit or version, or damaged: it is compiled again

    def save_desired(self, fleet: Fleet, *, inputs: str) -> None:
        """Raises StateError."""
        path = self.state / "desired.json"
        self.write(path, seal(fleet_to_json(fleet), revision=fleet.revision, host=fleet.host, inputs=inputs))
        self._desired = ((fleet.revision, fleet.host, inputs, _signature(path)), fleet)
        # For the shells' completion, which starts no program.
        names = {agent.name for agent in fleet.agents} | {peer.name for peer in fleet.peers}
        self.write(self.state / "names", "".join(f"{name}\n" for name in sorted(names)))

    # --- what an operator asked for on this host ---

    def load_suspensions(self) -> dict[str, Suspension]:
        """By agent name, "*" for all; expired ones too. If the file is damaged, everything is suspended until somebody
        lifts it: an agent that was stopped on purpose must not start because a file was lost."""
        found = self.load("suspend.json", suspensions_from_json, "the whole fleet is suspended")
        if isinstance(found, dict):
            return dict(found)
        if found is None:
            return {}
        everything = {"*": Suspension(reason=LOST_SUSPENSIONS, by="mosaic", until=None)}
        if not self.read_only:
            self.save_suspensions(everything)
        return everything

    def save_suspensions(self, suspended: Mapping[str, Suspension]) -> None:
        """Raises StateError."""
        self.save("suspend.json", dict(suspended), suspensions_to_json)

    # --- what people look at ---

    def load_status(self) -> FleetStatus | None:
        """None if the file is missing or damaged."""
        from reconciler.status.document import status_from_bytes

        return self.load("status.json", status_from_bytes, "times of transitions begin again", sealed=False) or None

    def save_status(self, status: FleetStatus) -> None:
        """Raises StateError."""
        from reconciler.status.document import status_text

        path = self.state / "status.json"
        self.write(path, status_text(status))
        self._remember(path, status)

    # --- files ---

    def write(self, path: Path, content: str | bytes) -> None:
        """Replace a file of the state or runtime folder, mode 0600. Raises StateError, or ReadOnlyStore."""
        self.guard(path)
        try:
            write_atomic(path, content)
        except OSError as error:
            raise write_failure(path, error) from error

    def guard(self, path: Path) -> None:
        """Every write goes through here: make the folder (0700), and set aside anything in the place of a file or
        folder of ours. Raises StateError, Unavailable if the user's systemd has made no runtime folder, or
        ReadOnlyStore in a preview."""
        if self.read_only:
            raise ReadOnlyStore(f"a preview tried to write {path}")
        try:
            self._clear(path)
            make_folder(path.parent)
        except OSError as error:
            if path.is_relative_to(self.runtime) and error.errno in (errno.EACCES, errno.EPERM, errno.ENOENT):
                raise no_runtime(error) from error
            raise write_failure(path.parent, error) from error

    def _clear(self, path: Path) -> None:
        """Raises OSError."""
        folder = path.parent
        odd = path if path.is_dir() and not path.is_symlink() else None
        if folder not in (self.state, self.runtime) and os.path.lexists(folder) and not folder.is_dir():
            odd = folder
        if odd is not None:
            kept = set_aside(odd)
            self._warn(f"{odd} was in the way; it was renamed to {kept.name}")

    def _warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def sweep(self) -> None:
        """Remove temporary files that a killed run left. Needs the lock."""
        for folder in (self.state, self.state / "receipts", self.state / "crashes"):
            for left in folder.glob(".*.tmp"):
                self.guard(left)
                with suppress(OSError):  # only litter: a place that really cannot be written is reported by the writer
                    left.unlink(missing_ok=True)

    def load(
        self, name: str, parse: Callable[[Parsed], T], instead: str, *, sealed: bool = True
    ) -> T | Literal[False] | None:
        """The parsed file, None if it is missing, False if it was damaged. Parsed again only when it changes."""
        path = self.state / name
        signature = _signature(path)
        known = self._seen.get(path)
        if known is not None and known[0] == signature:
            value: T = known[1]
            return value
        try:
            raw = read_optional(path)
            if raw is None:
                return None
            value = parse(unseal(raw) if sealed else raw)
        except OSError as error:
            return self._set_aside(path, error.strerror or str(error), instead)
        except Damaged as error:
            return self._set_aside(path, str(error), instead)
        if signature is not None:
            self._seen[path] = (signature, value)
        return value

    def save(self, name: str, value: T, to_json: Callable[[T], object]) -> None:
        """Seal and write a file of the state folder, unless it has that content already. Raises StateError."""
        path = self.state / name
        if self.read_only:
            raise ReadOnlyStore(f"a preview tried to write {path}")
        known = self._seen.get(path)
        if known is not None and known[1] == value and known[0] == _signature(path):
            return
        self.write(path, seal(to_json(value)))
        self._remember(path, value)

    def _remember(self, path: Path, value: object) -> None:
        signature = _signature(path)
        if signature is not None:
            self._seen[path] = (signature, value)

    def _set_aside(self, path: Path, why: str, instead: str) -> Literal[False]:
        """Keep the damaged file for people; only the newest one is kept."""
        where = "it was left there"
        if not self.read_only:
            try:
                where = f"it was kept as {set_aside(path).name}"
            except OSError as error:
                where = f"it could not be set aside ({error.strerror or error})"
        self._warn(f"{path} is damaged ({why}); {where}, and {instead}")
        return False


def careful_history(inventory: Inventory, status: FleetStatus | None, now: float) -> History:
    """The substitute for a lost history: every agent ever known has just been started, and systemd must read its files
    again."""
    known = {agent.name: agent for agent in status.agents} if status else {}
    agents = {}
    for name in sorted(inventory.agents.keys() | known.keys()):
        before, owned = known.get(name), inventory.agents.get(name)
        agents[name] = AgentHistory(
            launch_digest=owned.launch_digest if owned else "",
            attempts=1,
            delay=CAREFUL_DELAY_S,
            last_start=now,
            quarantined_since=before.quarantined_since if before else 0.0,
            restarts=before.restarts if before else 0,
        )
    return History(agents=agents, reload_due=True)


def write_failure(path: Path, error: OSError) -> StateError:
    """The error of a file that could not be written, with the way out. It names the file in `error`, else `path`."""
    wrong = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else path
    ways = {
        errno.ENOSPC: f"make room on that file system (df -h {wrong.parent}; df -i {wrong.parent}), then run it again; "
        "what was there is unharmed",
        errno.EDQUOT: "your quota is used up; make room, then run it again; what was there is unharmed",
        errno.EROFS: "the file system is read-only",
    }
    way = ways.get(error.errno or 0, f"{wrong.parent} must belong to you and be writable")
    return StateError(f"cannot write {wrong}: {error.strerror or error}", help=way)


def no_runtime(error: OSError) -> Unavailable:
    """The error of a runtime folder that is not ours: without a login or linger, and after su, nobody has made one."""
    from providers.systemd.bus_address import explain

    what, _, way = explain(os.environ, os.getuid(), [error]).rpartition("; ")
    return Unavailable(what, help=way)


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino
