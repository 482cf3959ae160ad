"""`attention.json`: the register of what needs a person, kept over restarts of the reconciler."""

from __future__ import annotations

import os

from providers.base import Json, Parsed
from reconciler.attention.document import case_document, case_from_document, moment
from reconciler.attention.register import CaseChange, OpenCase, Register
from reconciler.helpers.sealed_json import Damaged
from reconciler.state.store import Store, write_failure

FILE = "attention.json"
_INSTEAD = "what needs a person is raised again"


def load_register(store: Store) -> Register:
    """A damaged register counts as empty: every case that is still open is raised again, and notified again."""
    return store.load(FILE, _from_json, _INSTEAD) or Register()


def save_register(store: Store, register: Register) -> None:
    """A register without anything on it leaves no file, so that a run that finds nothing has nothing to read. Raises
    StateError."""
    if register.open or register.changes:
        store.save(FILE, register, _to_json)
        return
    path = store.state / FILE
    if os.path.lexists(path):
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
