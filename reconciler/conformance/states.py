"""The further proofs of a program that has been launched and takes messages: its queue, an interruption, what keeps it
from working and that this is over, a dialog, going on after its end, and that a person's files are as they were.

What a program is said to be is the state that every list shows, from the same function.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from providers.evidence import SessionEvidence
from providers.filesystem.guarded_read import read_regular
from reconciler.conformance.trial import AFTER, ARRIVE_S, LAUNCH_S, ProofFailed, Tried, among, carry_out
from reconciler.delivery.deliver import deliver
from reconciler.delivery.text import clean
from reconciler.delivery.typed_text import CLEAR_KEY
from reconciler.model import Readiness
from reconciler.observe.attribution import AttributedHeartbeat
from reconciler.observe.live_state import LiveState, StateEvidence, live_state
from specs.dataclass import replace

if TYPE_CHECKING:
    from providers.evidence import KeptTrouble
    from reconciler.conformance.fake_api import FakeApi
    from reconciler.conformance.model import Proof
    from reconciler.conformance.stage import Stage

QUEUED = "contract: a message while it works"
AGAIN = "contract: a message after an interruption"
IN_VAIN = "contract: a message that the model refuses"
WELL = "contract: a message that the model answers again"
RESUMED = "contract: a message after its end"
BAD_REQUEST, REFUSED_KEY = 400, 401
LOGGED_OUT = ("login", "logged-out")
ENDS_S = 60.0  # some try a failed request again for a while before they say so
ESCAPES = 4
STOPS_S = 3.0  # before the key is pressed again
_FILE_MAX = 1 << 20
KEYS = {"claude": "ANTHROPIC_API_KEY"}  # the variable with the key, for those whose key is none of their settings
# What opens a dialog of the program itself, in its composer.
OPENS = {"claude": "/model", "codex": "/model", "opencode": "/models", "pi": "/model", "stub": "/dialog model"}


class StatesTried(Tried):
    """One program, tried further. `states()` carries the proofs out in their order."""

    def __init__(self, stage: Stage, api: FakeApi) -> None:
        super().__init__(stage, api)
        self._kept: KeptTrouble | None = None
        self._before: dict[str, bytes] = {}

    def note_files(self) -> None:
        """What a person's files are before the program has done anything."""
        self._before = self._files()

    def states(self, found: list[Proof]) -> None:
        carry_out(found, "queue", self._queue)
        self._api.go_on()
        carry_out(found, "interruption", self._interruption)
        self._api.go_on()
        carry_out(found, "dialog", self._dialog)
        carry_out(found, "resume", self._resume)
        carry_out(found, "trouble", lambda: self._trouble(BAD_REQUEST))
        carry_out(found, "logged-out", self._logged_out)
        self._api.accept()
        carry_out(found, "files", self._unchanged)

    # --- the proofs ---

    def contract(self) -> str:
        """That the contract is in the request. What it says is one line of its own."""
        if not self._speaks:
            return "it speaks to no model, so no request could hold the contract"
        asked = [turn for turn in self._api.turns() if among(self._stage.contract, (turn.system, *turn.all))]
        if not asked:
            raise ProofFailed(f"none of {len(self._api.turns())} requests has the contract in it")
        return f"the contract is in {len(asked)} of {len(self._api.turns())} requests"

    def _queue(self) -> str:
        self._begin_turn("contract: a turn that takes its time")
        sent = deliver(self._agent, clean(QUEUED), self._delivery_io(), timeout_s=ARRIVE_S)
        if sent.word != "delivered":
            raise ProofFailed(f"while it works: {sent.word}: {sent.reason}")
        early = self._has(QUEUED)
        self._api.go_on()
        if self._speaks:
            self._wait(lambda: self._has(QUEUED), ARRIVE_S, lambda: "delivered, and the API never received it")
        how = "queued" if sent.queued else "taken up"
        return f"while it works: delivered ({how}), by {sent.evidence}; " + ("at once" if early else "sent afterwards")

    def _interruption(self) -> str:
        self._begin_turn("contract: a turn that is interrupted")
        if not self._speaks:
            self._type("/idle")
        else:
            self._press_until_idle("Escape")
        self._api.go_on()
        sent = deliver(self._agent, clean(AGAIN), self._delivery_io(), timeout_s=ARRIVE_S)
        if sent.word != "delivered":
            raise ProofFailed(f"after an interruption: {sent.word}: {sent.reason}")
        if self._speaks:
            self._wait(lambda: self._has(AGAIN), ARRIVE_S, lambda: "the API did not receive the next message")
        return "it stops, and takes the next message"

    def _trouble(self, status: int) -> str:
        """That a request which fails is known for what it is, and that an answer ends it."""
        self._wait(self._idle, ARRIVE_S, self._why_not_ready)
        self._api.refuse(status)
        if self._speaks:
            deliver(self._agent, clean(f"{IN_VAIN} ({status})"), self._delivery_io())
        else:
            self._type(f"/trouble {'logged-out' if status == REFUSED_KEY else 'api-error'}")
        stuck = self._wait(lambda: self._state_in(Readiness.STUCK, Readiness.WAITING), ENDS_S, self._what_state)
        kind = stuck.stuck or stuck.waiting
        self._api.accept()
        if not self._speaks:
            self._type("/idle")
        elif kind not in LOGGED_OUT:
            said = deliver(self._agent, clean(f"{WELL} ({status})"), self._delivery_io(), timeout_s=ARRIVE_S)
            now = self._state()
            if said.word != "delivered" and (now.stuck or now.waiting) in LOGGED_OUT:
                kind = now.stuck or now.waiting  # its first report said less than its screen does now
            elif said.word != "delivered":
                raise ProofFailed(f"{stuck.readiness} ({kind}), and then {said.word}: {said.reason}")
        if self._speaks and kind in LOGGED_OUT:  # it takes no message before somebody has logged it in
            self._start_again()
            self._wait(self._ready, LAUNCH_S, self._why_not_ready)
            return f"HTTP {status}: {stuck.readiness} ({kind}); it comes up again"
        well = self._wait(self._well, ENDS_S, self._what_state)
        return f"HTTP {status}: {stuck.readiness} ({kind}); after an answer: {well.readiness}"

    def _logged_out(self) -> str:
        """Without its key, or where a key is part of its settings, with one that is refused."""
        if self._stage.runtime not in KEYS:
            return self._trouble(REFUSED_KEY)
        self._api.accept()
        bare = tuple((name, value) for name, value in self._agent.env if name != KEYS[self._stage.runtime])
        self._kept = None
        self._stage.again(replace(self._agent, env=bare))
        # claude says so with the first message, after its hook has reported that message.
        self._wait(self._ready, LAUNCH_S, self._why_not_ready)
        sent = deliver(self._agent, clean(f"{IN_VAIN} (no key)"), self._delivery_io())
        if sent.word == "delivered":
            raise ProofFailed(f"a message that it refuses was called delivered, by {sent.evidence}")
        out = self._wait(lambda: self._state_in(Readiness.STUCK, Readiness.WAITING), ENDS_S, self._what_state)
        kind = out.stuck or out.waiting
        if kind not in LOGGED_OUT:
            raise ProofFailed(f"without its key it is {out.readiness} ({kind})")
        self._start_again()
        self._wait(self._idle, LAUNCH_S, self._why_not_ready)
        # The conversation that it goes on with still shows that line, until the model has answered.
        self._say_in_its_pane(f"{WELL} (with its key)")
        well = self._wait(self._well, ENDS_S, self._what_state)
        return f"without its key: {out.readiness} ({kind}), a message was {sent.word}; with it: {well.readiness}"

    def _dialog(self) -> str:
        self._wait(self._idle, ARRIVE_S, self._why_not_ready)
        self._type(OPENS[self._stage.runtime])
        asks = self._wait(lambda: self._state_in(Readiness.WAITING), ARRIVE_S, self._what_state)
        sent = deliver(self._agent, clean("contract: not into a dialog"), self._delivery_io(), grace_s=0.0)
        if sent.word != "not-delivered":
            raise ProofFailed(f"it waits ({asks.waiting}), and a message was {sent.word}")
        for _ in range(ESCAPES):
            self._key("Escape")
            with suppress(ProofFailed):
                self._wait(lambda: self._idle() is not None and not self._state().waiting, STOPS_S, self._what_state)
                break
        else:
            raise ProofFailed(f"Escape does not leave its dialog ({asks.waiting})")
        return f"`{OPENS[self._stage.runtime]}`: waiting ({asks.waiting}), and no message goes into it"

    def _resume(self) -> str:
        self._start_again()
        self._wait(self._idle, LAUNCH_S, self._why_not_ready)
        if not self._speaks:
            return "it goes on; its turns are its own"
        before = len(self._api.turns())
        sent = deliver(self._agent, clean(RESUMED), self._delivery_io(), timeout_s=ARRIVE_S)
        if sent.word != "delivered":
            raise ProofFailed(f"after its end: {sent.word}: {sent.reason}")
        self._wait(lambda: self._has(RESUMED), ARRIVE_S, lambda: "the API did not receive the message after its end")
        later = [turn for turn in self._api.turns()[before:] if among(RESUMED, turn.all)]
        if not any(among(AFTER, turn.all) for turn in later):
            raise ProofFailed("the request after its end does not hold the conversation from before")
        return "killed and started again: the next request holds the conversation from before"

    def _unchanged(self) -> str:
        after = self._files()
        lost = sorted(name for name, text in self._before.items() if not _kept_in(text, after.get(name, b"")))
        new = sorted(after.keys() - self._before.keys())
        if lost or new:
            raise ProofFailed("; ".join([*(f"changed: {name}" for name in lost), *(f"new: {name}" for name in new)]))
        added = [name for name, text in self._before.items() if after[name] != text]
        more = f"; the program itself has added lines to {', '.join(added)}" if added else ""
        return f"{len(after) - len(added)} files of the person's are as they were, byte for byte{more}"

    # --- what is done and seen ---

    def _begin_turn(self, text: str) -> None:
        """A turn that goes on until the API is told to go on."""
        self._wait(self._idle, ARRIVE_S, self._why_not_ready)
        self._api.think()
        if not self._speaks:
            self._type("/busy")
            return
        sent = deliver(self._agent, clean(text), self._delivery_io(), timeout_s=ARRIVE_S)
        if sent.word != "delivered":
            raise ProofFailed(f"{sent.word}: {sent.reason}")
        self._wait(lambda: self._has(text), ARRIVE_S, lambda: "the API did not receive the message")

    def _press_until_idle(self, key: str) -> None:
        """An interruption is a key, for some programs twice. Some put the text back into their composer."""
        for _ in range(ESCAPES):
            self._key(key)
            deadline = time.monotonic() + STOPS_S
            while time.monotonic() < deadline:
                screen = self._shot()
                reading = self._read_screen(screen) if screen is not None else None
                if reading is not None and reading.turn != "busy" and reading.composer == "empty":
                    return
                if reading is not None and reading.turn != "busy" and reading.composer == "draft":
                    self._key(CLEAR_KEY)
                time.sleep(0.2)
        raise ProofFailed(f"{key} does not stop its turn: {self._why_not_ready()}")

    def _say_in_its_pane(self, text: str) -> None:
        """As a person does, whatever its state is."""
        self._panes.paste(self._stage.where, self._panes.state(self._stage.where), text.encode())
        self._wait(self._has_draft, ARRIVE_S, self._why_not_ready)
        self._key(self._agent.submit_key)
        self._wait(lambda: self._has(text), ARRIVE_S, lambda: "the API did not receive what was typed")

    def _has_draft(self) -> bool:
        screen = self._shot()
        return screen is not None and self._program.read(screen).composer == "draft"

    def _key(self, key: str) -> None:
        self._panes.key(self._stage.where, self._panes.state(self._stage.where), key)

    def _type(self, text: str) -> None:
        """A command of the program itself."""
        deliver(self._agent, text, self._delivery_io(), verify=False, as_is=True)

    def _start_again(self) -> None:
        self._kept = None
        self._stage.again(self._agent)

    def _state(self) -> LiveState:
        """Its state as every list shows it; the responder, which is not here, would answer for one that has hooks."""
        screen = self._shot()
        identity = self._identity()
        reading = self._read_screen(screen) if screen is not None else None
        now = time.time()
        seen = SessionEvidence(alive=True, pids=identity.pids, started=identity.started, screen=reading)
        heartbeat, turn = self._reports(seen, now)
        if heartbeat.state == "unknown":
            heartbeat = AttributedHeartbeat("ok", 0.0, now, "", source="sidecar", stale_after=60.0)
        state = live_state(
            StateEvidence(
                session="alive", seen=seen, heartbeat=heartbeat, turn=turn, now=now, life=str(identity.pids[:1]),
                agent=self._agent, kept=self._kept,
            )
        )  # fmt: skip
        self._kept = state.trouble
        return state

    def _state_in(self, *words: Readiness) -> LiveState | None:
        state = self._state()
        return state if state.readiness in words and state.waiting not in ("draft",) else None

    def _well(self) -> LiveState | None:
        state = self._state()
        well = state.trouble is None or bool(state.trouble.over)
        return state if state.readiness in (Readiness.AVAILABLE, Readiness.WORKING) and well else None

    def _what_state(self) -> str:
        state = self._state()
        kind = state.stuck or state.waiting
        return f"it is {state.readiness}{f' ({kind})' if kind else ''}: {state.why}; {self._why_not_ready()}"

    def _files(self) -> dict[str, bytes]:
        """What a person has written: settings in the home, and the project."""
        own = [self._stage.home / name for name in self._home.files if name != ".claude.json"]  # that one is claude's
        paths = [path for path in (*own, *sorted(self._stage.project.rglob("*"))) if path.is_file()]
        root = self._stage.root
        return {str(path.relative_to(root)): read_regular(path, limit=_FILE_MAX, follow=False) for path in paths}


def _kept_in(before: bytes, after: bytes) -> bool:
    """Whether all of it is still there, line by line or key by key: codex and opencode add to their own settings."""
    try:
        old, new = json.loads(before), json.loads(after)
        return isinstance(new, dict) and all(new.get(key) == value for key, value in old.items())
    except (ValueError, AttributeError):
        pass
    lines = iter(after.splitlines())
    return all(any(line == one for one in lines) for line in before.splitlines())
