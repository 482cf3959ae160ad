"""Answer the dialog that an agent's program shows: read it again, press its keys once, and report what is shown then.

    lock -> the dialog, read twice -> is it the listed one? -> its keys -> look until it is gone

The lock is that of messages, so no message and no second answer comes in between. tmux compares the dialog's text in
the moment of each key: a key never goes into another dialog.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.processes import procfs
from providers.programs.base import Plain
from providers.programs.identity import ProcessTree
from providers.tmux.pane_input import PaneError, PaneState, Where
from reconciler.answering.afterwards import NO_READING, AfterAnswer, DialogSight, sight, what_it_does
from reconciler.answering.choose import Press, Unfit, choose, marks
from reconciler.answering.verdict import DialogAnswer, ShownDialog, WantedAnswer, shown_dialog
from reconciler.delivery.deliver import LOCK_S, DeliveryIO
from reconciler.delivery.text import letters
from reconciler.delivery.typed_text import life_of
from reconciler.errors import Locked
from reconciler.state.lock import run_lock
from reconciler.state.pause import read_pause
from reconciler.state.store import Store
from specs.dataclass import replace

if TYPE_CHECKING:
    from providers.programs.base import Program, Reading
    from providers.screen import Screen
    from specs.compiled import Agent

VERIFY_S = 8.0  # for the dialog to go away; pi and codex repaint within a second
REPAINT_S = 3.0  # for a dialog that is being painted, or that a key has changed
SHOWN_S = 1.0  # claude ignores what is pressed in the first moments of a dialog
POLL_S = 0.05
STEADY = 2  # looks in a row that say the same
STEADY_UNCLEAR_S = 1.5  # a screen without dialog, composer and work for so long is no longer a repaint


def answer(
    agent: Agent,
    wanted: WantedAnswer,
    by: DeliveryIO,
    *,
    case: str = "",
    check: Callable[[ShownDialog], str] = lambda _dialog: "",
    lock_s: float = LOCK_S,
    verify_s: float = VERIFY_S,
    program: Program | None = None,
) -> DialogAnswer:
    """Answer the dialog that the agent shows; `case`: only the one of this id. `check` is asked at the last moment what
    speaks against it, "" for nothing. Raises StateError and Unavailable if there is no place for the lock."""
    if program is None:
        from providers.programs.registry import program as known_program

        program = known_program(agent.runtime)
    lock = Store(by.store.state, by.store.runtime / "send" / agent.name)
    try:
        with run_lock(lock, now=by.wall(), wait_s=lock_s, command=f"an answer to {agent.name}"):
            return _Answering(agent, wanted, by, program, case, check, verify_s).run()
    except Locked as error:
        return DialogAnswer(
            word="not-answered",
            reason=f"a message or another answer is on its way to it: {error.message.partition(': ')[2]}",
            way="look, and answer it again",
        )


class _Answering:
    def __init__(
        self,
        agent: Agent,
        wanted: WantedAnswer,
        by: DeliveryIO,
        program: Program,
        case: str,
        check: Callable[[ShownDialog], str],
        verify_s: float,
    ) -> None:
        self._agent, self._wanted, self._by, self._program = agent, wanted, by, program
        self._case, self._check, self._verify_s = case, check, verify_s
        self._where = Where(socket=agent.socket, session=agent.session, agent=agent.name, fleet=by.store.state.name)
        self._life = ""
        self._screen: Screen | None = None  # of the last look

    def run(self) -> DialogAnswer:
        """Answer, with the lock held."""
        pause = read_pause(self._by.facts)
        if pause is not None:
            why = f"the fleet is paused: {pause.reason or 'no reason given'}"
            return DialogAnswer(word="not-answered", reason=why, way="mosaic fleet resume")
        try:
            pane, refused = self._pane()
            if refused is not None:
                return refused
            dialog, reading = self._steady(pane)
        except (PaneError, ObserveError) as error:
            return DialogAnswer(word="not-answered", reason=str(error), way="mosaic doctor")
        if dialog is None:
            if reading is None:
                return DialogAnswer(word="no-dialog", reason="its pane is not there any more", way=self._look_way())
            return DialogAnswer(
                word="no-dialog", reason=_no_dialog(reading), now=what_it_does(reading), way=self._look_way()
            )
        if self._case and dialog.case != self._case:
            why = f"it is another case now: {dialog.case}, not {self._case}"
            return DialogAnswer(word="changed", dialog=dialog, reason=why, way="mosaic fleet attention")
        press = choose(self._wanted, dialog)
        why = press.reason if isinstance(press, Unfit) else self._check(dialog)
        if why or isinstance(press, Unfit):
            return DialogAnswer(word="not-answered", dialog=dialog, reason=why, way=self._attach_way())
        return self._typed(pane, dialog, press) if press.text else self._pressed(pane, dialog, press)

    def _pane(self) -> tuple[PaneState, DialogAnswer | None]:
        pane = self._by.panes.state(self._where)
        who = self._agent.name
        if pane.found != "pane" or pane.dead:
            why = {"foreign": "a tmux session of its name exists that is not this fleet's"}.get(pane.found, "")
            why = why or ("its program has ended" if pane.dead else "it has no session")
            return pane, DialogAnswer(word="no-dialog", reason=why, way=f"mosaic agent status {who}")
        if isinstance(self._program, Plain):
            why = f"the screens of {self._agent.runtime} cannot be read, so it is not known what it asks"
            return pane, DialogAnswer(word="no-dialog", reason=why, way=self._attach_way())
        identity = ProcessTree(procfs.Scanned(self._by.facts.uid)).identify(pane, self._agent.process_names)
        if not identity.matches:
            other = f'"{identity.program}" runs' if identity.program else "nothing runs"
            why = "its launch has not finished" if identity.launching else f"{other} in its pane"
            return pane, DialogAnswer(word="no-dialog", reason=why, way=f"mosaic agent status {who}")
        if pane.in_mode:
            why = "its pane is in copy mode: somebody is reading there"
            return pane, DialogAnswer(word="not-answered", reason=why, way=f"leave it with q: {self._attach_way()}")
        self._life = life_of(pane)
        return pane, None

    def _look(self, pane: PaneState) -> tuple[PaneState, Reading | None, ShownDialog | None]:
        """One look. No reading: the pane is gone, or its program has ended. Raises PaneError."""
        state, self._screen = self._by.panes.shot(self._where, pane)
        if self._screen is None or state.dead:
            return state, None, None
        reading = self._program.read(self._screen)
        return state, reading, shown_dialog(self._agent.name, self._life, reading)

    def _steady(self, pane: PaneState) -> tuple[ShownDialog | None, Reading | None]:
        """The dialog, once all looks within `SHOWN_S` have shown the same one. Raises PaneError."""
        deadline = self._by.monotonic() + REPAINT_S
        last, since = "", self._by.monotonic()
        while True:
            _, reading, dialog = self._look(pane)
            case = dialog.case if dialog is not None else ""
            if case != last:
                last, since = case, self._by.monotonic()
            if dialog is not None and self._by.monotonic() >= since + SHOWN_S:
                return dialog, reading
            nothing = dialog is None and reading is not None and (reading.composer != "hidden" or reading.asks)
            if reading is None or nothing or self._by.monotonic() >= deadline:
                return None, reading
            self._by.sleep(POLL_S)

    def _pressed(self, pane: PaneState, dialog: ShownDialog, press: Press) -> DialogAnswer:
        """Press the keys, each once, and only while the same dialog is shown."""
        for at, key in enumerate(press.keys):
            last = at == len(press.keys) - 1
            if at and not self._ready_for(pane, dialog, press, last=last):
                return self._cut_short(pane, dialog, press.label)
            shown = self._marks(dialog)
            if not shown:
                return self._cut_short(pane, dialog, press.label) if at else self._unmarked(dialog)
            try:
                done = self._by.panes.key(self._where, pane, key, shows=shown)
            except PaneError as error:
                if error.unsure:
                    return self._afterwards(pane, dialog, press.label)
                return DialogAnswer(word="not-answered", dialog=dialog, reason=str(error), way="mosaic doctor")
            if not done and not at:
                why = "the dialog or its pane changed at the last moment, and nothing was pressed"
                return DialogAnswer(word="changed", dialog=dialog, reason=why, way="mosaic fleet attention")
            if not done:
                return self._cut_short(pane, dialog, press.label)
        return self._afterwards(pane, dialog, press.label)

    def _cut_short(self, pane: PaneState, dialog: ShownDialog, label: str) -> DialogAnswer:
        """Not all of its keys were pressed, because the dialog was gone or had changed: it may be somebody's answer."""
        found = self._afterwards(pane, dialog, label)
        if found.word != "answered":
            return found
        why = "the dialog was gone before the last of its keys, and it is not known who answered it"
        return replace(found, word="unconfirmed", reason=why, way=f"look: mosaic agent tail {self._agent.name}")

    def _ready_for(self, pane: PaneState, dialog: ShownDialog, press: Press, *, last: bool) -> bool:
        """Whether the same dialog is still shown after the keys so far; before the `last` one also: with the wanted
        choice selected, where the screen shows which is."""
        deadline = self._by.monotonic() + REPAINT_S
        while True:
            try:
                _, reading, now = self._look(pane)
            except PaneError:
                reading, now = None, None
            if reading is None or (now is not None and now.case != dialog.case):
                return False
            if now is not None:
                selected = [number for number, one in enumerate(now.choices, 1) if one.selected]
                if not last or not selected or selected == [press.number]:
                    return True
            if self._by.monotonic() >= deadline:
                return False
            self._by.sleep(POLL_S)

    def _typed(self, pane: PaneState, dialog: ShownDialog, press: Press) -> DialogAnswer:
        """Put the text into the dialog's field, see it there, and send it."""
        label, shown = press.label, self._marks(dialog)
        if not shown:
            return self._unmarked(dialog)
        try:
            done = self._by.panes.paste(self._where, pane, press.text.encode(), shows=shown)
        except PaneError as error:
            if error.unsure:
                return self._afterwards(pane, dialog, label)
            return DialogAnswer(word="not-answered", dialog=dialog, reason=str(error), way="mosaic doctor")
        if not done:
            why = "the dialog or its pane changed at the last moment, and nothing was typed"
            return DialogAnswer(word="changed", dialog=dialog, reason=why, way="mosaic fleet attention")
        filled = self._stands(pane, dialog, press.text)
        if not filled:
            why = "the text was typed, and is not seen in the dialog: it was not sent"
            return DialogAnswer(word="unconfirmed", dialog=dialog, pressed=label, reason=why, way=self._attach_way())
        try:
            done = self._by.panes.key(self._where, pane, self._agent.submit_key, shows=filled)
        except PaneError:
            done = True  # what is shown then says whether it was pressed
        if not done:
            return self._cut_short(pane, dialog, label)
        return self._afterwards(pane, dialog, label, retyped=True)

    def _stands(self, pane: PaneState, dialog: ShownDialog, text: str) -> tuple[str, ...]:
        """Pieces of the screen that shows the same question with the text; none if it is not seen so."""
        deadline = self._by.monotonic() + REPAINT_S
        wanted = letters(text)[-40:]
        while True:
            try:
                _, _, now = self._look(pane)
            except PaneError:
                now = None
            lines = self._screen.lines if self._screen is not None else ()
            seen = wanted in letters("".join(lines)) if wanted else any(text.strip() in line for line in lines)
            if now is not None and seen and (now.kind, now.question) == (dialog.kind, dialog.question):
                shown = self._marks(replace(now, question=f"{now.question}\n{text}"))
                if shown:
                    return shown
            if self._by.monotonic() >= deadline:
                return ()
            self._by.sleep(POLL_S)

    def _marks(self, dialog: ShownDialog) -> tuple[str, ...]:
        return marks(self._screen, dialog) if self._screen is not None else ()

    def _unmarked(self, dialog: ShownDialog) -> DialogAnswer:
        """Nothing of it could be compared in the moment of a key, so that might go into another dialog."""
        why = "none of its text can be compared in the moment of a key"
        return DialogAnswer(word="not-answered", dialog=dialog, reason=why, way=self._attach_way())

    def _afterwards(self, pane: PaneState, dialog: ShownDialog, label: str, *, retyped: bool = False) -> DialogAnswer:
        """Look until the dialog is gone. `retyped`: what was typed may have changed its choices."""
        done = DialogAnswer(word="answered", dialog=dialog, pressed=label)
        end = self._by.monotonic() + self._verify_s
        since, last, count = self._by.monotonic(), "", 0
        while True:
            try:
                _, reading, now = self._look(pane)
                look = AfterAnswer(
                    pane="ok" if reading is not None else "gone", before=dialog, dialog=now,
                    reading=reading or NO_READING,
                )  # fmt: skip
            except PaneError:
                look = AfterAnswer(pane="blind", before=dialog)
            seen: DialogSight = sight(look)
            if retyped and seen == "other" and look.dialog is not None and look.dialog.question == dialog.question:
                seen = "same"  # only what stands in its field differs
            if seen != last:
                since, last, count = self._by.monotonic(), seen, 0
            count += 1
            steady = count >= STEADY
            if seen == "ended":
                return replace(done, now="its program has ended")
            if steady and seen == "gone":
                return replace(done, now=what_it_does(look.reading))
            if steady and seen == "other" and look.dialog is not None:
                return replace(done, now="it shows another dialog", then=look.dialog)
            if seen == "unclear" and self._by.monotonic() >= since + STEADY_UNCLEAR_S:
                return replace(done, now=what_it_does(look.reading))
            if self._by.monotonic() >= end:
                why = "the dialog is still shown" if seen == "same" else "its screen could not be read afterwards"
                return replace(done, word="unconfirmed", reason=why, way=f"look: mosaic agent tail {self._agent.name}")
            self._by.sleep(POLL_S)

    def _look_way(self) -> str:
        return f"mosaic agent status {self._agent.name}"

    def _attach_way(self) -> str:
        return f"answer it in its pane: mosaic agent attach {self._agent.name}"


def _no_dialog(reading: Reading) -> str:
    if reading.asks == "menu":
        return "a menu is open that a person has opened"
    return "its screen shows no dialog that is known"
