"""`attention.json`: the register of what needs a person, kept over restarts of the reconciler."""

from __future__ import annotations

import os

from providers.base import Json, Parsed
from reconciler.attention.document import case_document, case_from_document, moment
from reconciler.attention.register import CaseChange, OpenCase, Register
from reconciler.helpers.sealed_json import Damaged
from reconciler.state.store import Store, write_failure

FILE = "attention.json"
COPY = "attention.copy.json"
_INSTEAD = "its copy is taken"
_COPY_INSTEAD = "it is written again"


def load_register(store: Store) -> Register:
    """After damage, the copy. If that is damaged or missing, too, a register that is `lost`. A file that is missing
    beside a copy was set aside by a run that was then killed."""
    found = store.load(FILE, _from_json, _INSTEAD)
    if found:
        return found
    copy = store.load(COPY, _from_json, "what needs a person is raised again, and nobody is notified again")
    if copy:
        return copy
    return Register(lost=found is False or copy is False)


def save_register(store: Store, register: Register) -> None:
    """The copy first, which is never older. A register without anything on it leaves no file, so that a run that finds
    nothing has nothing to read. Raises StateError."""
    if register.open or register.changes:
        store.load(COPY, _from_json, _COPY_INSTEAD)  # one that is there already is not written again
        store.save(COPY, register, _to_json)
        store.save(FILE, register, _to_json)
        return
    for path in (store.state / COPY, store.state / FILE):
        if not os.path.lexists(path):
            continue
        store.guard(path)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise write_failure(path, error) from error


def _to_json(register: Register) -> dict[str, Json]:
    return {
        "open": [
            {
                **case_document(one.case),
                "since": one.case.since,
                "until_at": one.case.until_at,
                "number": one.number,
                "raised": one.raised,
                "notified": dict(one.notified),
            }
            for one in register.open
        ],
        "changes": [
            {
                **case_document(one.case),
                "since": one.case.since,
                "until_at": one.case.until_at,
                "number": one.number,
                "raise": one.raised,
                "at": one.at,
            }
            for one in register.changes
        ],
        "last": register.last,
    }


def _from_json(raw: Parsed) -> Register:
    """Raises Damaged."""
    try:
        return Register(
            open=tuple(
                OpenCase(
                    case=case_from_document(one),
                    number=_number(one["number"]),
                    raised=str(one["raised"]),
                    notified={str(name): moment(at) for name, at in one["notified"].items()},
                )
                for one in raw["open"]
            ),
            changes=tuple(
                CaseChange(
                    case=case_from_document(one),
                    number=_number(one["number"]),
                    raised=one["raise"] is True,
                    at=moment(one["at"]),
                )
                for one in raw["changes"]
            ),
            last=_number(raw["last"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damaged(f"it makes no sense: {error}") from error


def _number(value: Parsed) -> int:
    if type(value) is not int:
        raise ValueError(f"not a number: {value!r}")
    return value
