"""A program's own evidence of a message: receipts that it writes while a sender waits, and its turn record.

While a message is under way, the agent has a folder. A program that takes up a message writes its whole text into a
file there; without the folder it writes nothing, so that no private text is left lying about.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from providers.filesystem.guarded_read import read_regular
from providers.machine.heartbeat_files import MAX_BYTES, parse
from reconciler.delivery.text import same
from reconciler.errors import MosaicError
from reconciler.helpers.atomic_files import make_folder, parse_json
from reconciler.observe.attribution import answered_at
from reconciler.observe.troubles import kind_of
from reconciler.state.store import Store, write_failure
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.evidence import KeptTrouble
    from providers.host import HostFacts
    from providers.programs.base import Reading
    from providers.programs.identity import Identity
    from reconciler.delivery.verdict import EvidenceWord
    from reconciler.observe.live_state import LiveState
    from specs.compiled import Agent, Heartbeats

_RECEIPT_MAX = 16 << 20  # bytes: a prompt may hold several messages, and a hook's JSON adds more
_FRESH_S = 60.0  # how long a folder may be without its sender's lock: it may have just been made


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The program's report on a message: `evidence` says what wrote it."""

    evidence: EvidenceWord = ""
    queued: bool = False


@contextmanager
def waiting(facts: HostFacts, agent: str) -> Iterator[Receipts]:
    """The folder of one agent while somebody waits. The caller holds the agent's lock. Raises StateError."""
    folder = Path(facts.runtime_dir, "mosaic", "await", agent)
    shutil.rmtree(folder, ignore_errors=True)  # left by a sender that was killed
    try:
        make_folder(folder)
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise write_failure(folder, error) from error
    try:
        _taken(held)  # a lock that ends with us, however we end
        yield Receipts(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def sweep(facts: HostFacts, now: float) -> None:
    """Remove the folders of senders that were killed: otherwise everything said to such an agent later would be written
    there, and nobody would ever read it. `now`: Unix seconds."""
    with suppress(OSError), os.scandir(f"{facts.runtime_dir}/mosaic/await") as entries:
        for entry in entries:
            with suppress(OSError):
                if now - entry.stat(follow_symlinks=False).st_mtime < _FRESH_S:
                    continue
                held = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    if _taken(held):
                        shutil.rmtree(entry.path, ignore_errors=True)
                finally:
                    os.close(held)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class Receipts:
    """The receipts in the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.running = ""  # the id of the turn that was going on before the message, as `running_turn`
        self._read: set[str] = set()

    def find(self, text: str) -> Receipt:
        """The receipt for exactly this text, if it has arrived. A file that cannot be read does not count."""
        try:
            names = sorted(os.listdir(self._folder))
        except OSError:
            return Receipt()
        for name in names:
            if name.endswith(".json") and not name.startswith(".") and name not in self._read:
                self._read.add(name)  # each is written whole, so one look is enough
                found = _receipt(self._folder / name, text, self.running)
                if found.evidence:
                    return found
        return Receipt()


def _receipt(path: Path, text: str, running: str) -> Receipt:
    """claude reports a message when it queues it, too, with the id of the turn that is going on."""
    try:
        record = parse_json(read_regular(path, limit=_RECEIPT_MAX, follow=False))
    except (OSError, ValueError):
        return Receipt()
    prompt = record.get("prompt") if isinstance(record, dict) else None
    if not isinstance(prompt, str) or not same(prompt, text):
        return Receipt()
    queued = record.get("queued") is True or (running != "" and record.get("prompt_id") == running)
    return Receipt(evidence="hook" if "hook_event_name" in record else "api", queued=queued)


def state_now(
    facts: HostFacts,
    agent: Agent,
    identity: Identity,
    rules: Heartbeats,
    *,
    reading: Reading | None,
    life: str,
    kept: KeptTrouble | None,
    now: float,
) -> tuple[LiveState, str]:
    """The state of an agent as every list reads it, and what it waits for by its newest report, "" for nothing."""
    from providers.base import Kind, ObserveError, Present, ResourceKey
    from providers.evidence import SessionEvidence
    from providers.kinds.heartbeat import as_evidence
    from providers.machine.heartbeat_files import scan_both
    from reconciler.model import Observation
    from reconciler.observe.attribution import judge_heartbeat, judge_turn
    from reconciler.observe.live_state import StateEvidence, live_state

    try:
        heartbeats, turns = scan_both(facts.run_dir, now)
    except ObserveError:
        heartbeats, turns = {}, {}  # nothing is known about it, and every list says so
    key = ResourceKey(Kind.HEARTBEAT, agent.name)
    said = as_evidence(heartbeats.get(agent.name), turns.get(agent.name))
    session = SessionEvidence(alive=True, pids=identity.pids, started=identity.started, screen=reading)
    seen = {key: Present(key=key, agent=agent.name, ours=True, fields={}, evidence=said)} if said is not None else {}
    observation = Observation(present=seen, unknown={}, taken_at=now, digest="")
    one = StateEvidence(
        session="alive", seen=session, heartbeat=judge_heartbeat(observation, agent.name, session, rules),
        turn=judge_turn(observation, agent.name, session), now=now, life=life, agent=agent, kept=kept,
    )  # fmt: skip
    return live_state(one), "" if one.heartbeat.state == "stale" and one.heartbeat.own else one.word.waiting


def running_turn(facts: HostFacts, agent: str, pids: Collection[int], *, now: float) -> str:
    """The program's own id of the turn that its last report belongs to; "" if that has none, or says that it is
    over."""
    try:
        record = parse(read_regular(Path(facts.run_dir, f"{agent}.turn"), limit=MAX_BYTES, follow=False), now)
    except OSError:
        return ""
    ours = record.error is None and record.status == "busy" and record.pid in pids
    return record.prompt if ours else ""


def kept_trouble(store: Store, agent: str, now: float) -> KeptTrouble | None:
    """The trouble that the last run remembers. A send changes nothing of what a run keeps."""
    with suppress(MosaicError):
        known = Store(store.state, store.runtime, read_only=True).load_history(now=now).agents.get(agent)
        return known.trouble if known is not None else None
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What a program has reported since some moment: that it works, that a model has answered, what stops it."""

    busy: bool = False
    answered: bool = False
    trouble: str = ""


def reported_since(facts: HostFacts, agent: str, pids: Collection[int], *, since: float, now: float) -> Since:
    """What the processes of the pane have reported since then; both are Unix seconds. Compared to the second, since
    some writers are no more precise; an answer counts only if it is certainly later."""
    for kind in ("turn", "hb"):
        try:
            record = parse(read_regular(Path(facts.run_dir, f"{agent}.{kind}"), limit=MAX_BYTES, follow=False), now)
        except OSError:
            continue
        if record.error is not None or record.pid not in pids or record.ts < int(since) or not record.own:
            continue
        answered = answered_at(record, record.ts) >= since > 0.0
        return Since(busy=record.status == "busy", answered=answered, trouble=kind_of(record.stuck))
    return Since()
