"""Whether the conditions of a unit hold now, as systemd itself judges them; for few units."""

from __future__ import annotations

import re
from collections.abc import Mapping

from providers.base import ObserveError
from providers.processes import process

TIMEOUT_S = 5.0
_FAILED = re.compile(r"^(?:\S+: )?(?P<what>(?:Condition|Assert)\S*=.*?) failed\.?$", re.MULTILINE)


def failing(unit: str, environ: Mapping[str, str]) -> str:
    """The first condition that does not hold, as written, "" if all do. `environ`: that of the user's systemd, which
    determines where its units are. Raises ObserveError."""
    argv = ["systemd-analyze", "--user", "condition", f"--unit={unit}"]
    try:
        done = process.run(argv, {"LC_ALL": "C.UTF-8", **environ}, timeout_s=TIMEOUT_S)
    except process.SpawnError as error:
        raise ObserveError(f"the conditions of {unit} cannot be evaluated: {error}") from error
    if done.status == 0:
        return ""
    said = (done.out + done.err).decode("utf-8", "replace")
    found = _FAILED.search(said)
    if found is None:
        text = said.strip().partition("\n")[0] or f"status {done.status}"
        raise ObserveError(f"the conditions of {unit} cannot be evaluated: {text}")
    return found["what"]
