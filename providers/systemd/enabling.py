"""Enable units for the next boot: the links that systemd then follows, made and removed without asking it.

If systemd (since 254) makes the links, it marks every unit as changed on disk until it reloads all its files, which
nothing else needs: a link takes effect at the next boot.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from errno import EEXIST, ENOTDIR

from providers.filesystem import files
from providers.names import AGENT_TEMPLATE, agent_of_unit
from providers.steps import SetEnabled, StepResult

WANTS = ("default.target.wants", "timers.target.wants")  # the folders of the targets in the units' WantedBy=


def carry_out(steps: Sequence[tuple[str, SetEnabled]], folder: str) -> Iterator[tuple[str, StepResult]]:
    """Each step's result, by its id. `folder`: that of the user's own units. The links survive a power cut."""
    results: dict[str, StepResult] = {}
    touched: dict[str, list[tuple[str, SetEnabled]]] = {}
    for name, step in steps:
        try:
            changed = _set(step.unit, folder, enabled=step.enabled)
        except OSError as error:
            results[name] = _failed(step, error)
            continue
        results[name] = StepResult(ok=True, changed=bool(changed))
        for wants in changed:
            touched.setdefault(wants, []).append((name, step))
    for wants, changers in touched.items():
        try:
            files.sync_folder(f"{folder}/{wants}")
        except OSError as error:
            results |= {name: _failed(step, error) for name, step in changers}
    yield from results.items()


def _failed(step: SetEnabled, error: OSError) -> StepResult:
    word = "enabled" if step.enabled else "disabled"
    text = f"{step.unit} cannot be {word}: {error.filename}: {error.strerror}"
    return StepResult(ok=False, changed=False, error=text)


def _set(unit: str, folder: str, *, enabled: bool) -> tuple[str, ...]:
    """The folders of links that were changed; empty if it was so already. Raises OSError."""
    if not enabled:
        return tuple(wants for wants in WANTS if _remove(f"{folder}/{wants}/{unit}"))
    file = f"{folder}/{AGENT_TEMPLATE if agent_of_unit(unit) else unit}"
    os.stat(file)
    wants = WANTS[unit.endswith(".timer")]
    try:
        os.makedirs(f"{folder}/{wants}", mode=0o755, exist_ok=True)
    except FileExistsError:
        raise OSError(ENOTDIR, "it is not a folder; move it away, then run again", f"{folder}/{wants}") from None
    link = f"{folder}/{wants}/{unit}"
    try:
        os.symlink(file, link)
    except FileExistsError:
        if not os.path.islink(link):
            raise OSError(EEXIST, "something other than a link is there; move it away, then run again", link) from None
        return ()
    return (wants,)


def _remove(link: str) -> bool:
    with suppress(FileNotFoundError, NotADirectoryError):
        if os.path.islink(link):
            os.unlink(link)
            return True
    return False
