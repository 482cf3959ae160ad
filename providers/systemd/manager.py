"""The state of the user's systemd: where it looks for units, its environment, and what it has not reloaded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.host import ManagerState
from providers.names import HOLDER_UNIT
from providers.systemd.calls import Ask, object_path

if TYPE_CHECKING:
    from providers.systemd.client import Systemd

_PROPERTIES = "org.freedesktop.DBus.Properties"
_SYSTEMD = "org.freedesktop.systemd1"


def read_manager(systemd: Systemd) -> ManagerState:
    """The calls go out all at once. Raises ObserveError.

    systemd marks every unit at once after an enablement without a reload (since 254), so one unit that always exists
    answers for all.
    """
    frames = systemd.ask(
        _get("tell where it looks for units", "Manager", "UnitPath"),
        _get("tell its environment", "Manager", "Environment"),
        _get("tell whether it has read its files", "Unit", "NeedDaemonReload", path=object_path(HOLDER_UNIT)),
    )
    try:
        folders, environment, stale = (frame.body()[0][1] for frame in frames)
        return ManagerState(
            unit_path=tuple(str(folder) for folder in folders),
            environment=dict(str(one).partition("=")[::2] for one in environment),
            stale=bool(stale),
        )
    except (IndexError, TypeError, ValueError) as error:
        raise ObserveError("systemd's answer about itself has an unknown form") from error


def behind(systemd: Systemd, units: Iterable[str]) -> bool:
    """Whether systemd has yet to read what is on disk now for one of these units. The calls go out all at once; raises
    ObserveError."""
    what = "tell whether it has read a unit's files"
    frames = systemd.ask(*(_get(what, "Unit", "NeedDaemonReload", path=object_path(unit)) for unit in units))
    try:
        return any(bool(frame.body()[0][1]) for frame in frames)
    except (IndexError, TypeError) as error:
        raise ObserveError("systemd's answer about a unit has an unknown form") from error


def _get(what: str, interface: str, name: str, *, path: str = "") -> Ask:
    ask = Ask(what, "Get", "ss", (f"{_SYSTEMD}.{interface}", name), timeout_s=0)
    ask.address = {"interface": _PROPERTIES, **({"path": path} if path else {})}
    return ask
