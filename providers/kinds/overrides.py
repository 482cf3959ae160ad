"""Where somebody has replaced or overridden a unit of ours, so that it starts or ends something else.

The rule: an operator may add to a unit (`Environment=`, limits, a description) as they like. These make it another
unit: a mask, a file of its name that systemd finds before ours, a drop-in setting that decides what is run and when it
ends, or a condition that does not hold. We start nothing through such a unit: it would not be what git says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from providers.base import ObserveError
from providers.names import AGENT_PREFIX, AGENT_TEMPLATE, HOLDER_UNIT, RESPONDER_UNIT, agent_unit
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.host import Look, UnitFile

# Settings that make a unit start or end something other than ours does.
DECIDING = frozenset(
    (
        "BindsTo", "Conflicts", "ExecCondition", "ExecReload", "ExecStart", "ExecStartPre", "ExecStop", "ExecStopPost",
        "PartOf", "RefuseManualStart", "RefuseManualStop", "RemainAfterExit", "Requisite", "RuntimeMaxSec",
        "StopWhenUnneeded", "SuccessAction", "Type",
    )
)  # fmt: skip
_CONDITIONS = ("Condition", "Assert")
_SHARED = (HOLDER_UNIT, RESPONDER_UNIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """`word`: masked, overridden, or unknown if we could not tell. `path`: the file responsible, "" if no single file
    is. `why`: a sentence with the remedy."""

    word: Literal["masked", "overridden", "unknown"]
    path: str
    why: str


def overrides(look: Look, agents: Iterable[str], also: Iterable[str] = ()) -> dict[str, Override]:
    """By unit, for these agents, for the shared units, and for others of ours; a unit that is as shipped is left out.
    Raises ObserveError."""
    files = [one for one in look.unit_files() if one.drop_in or not one.own_folder or _instance(one.unit) or one.unseen]
    if not files:
        return {}
    judge = _Judge(look, files)
    return {unit: found for unit in _all(agents, also) if (found := judge.unit(unit)) is not None}


def unknown(agents: Iterable[str], why: str) -> dict[str, Override]:
    """For the same units, if the files that affect them could not be observed."""
    why = f"which files decide about its unit could not be seen: {why}"
    return dict.fromkeys(_all(agents, ()), Override(word="unknown", path="", why=why))


def reload_shut(files: Iterable[UnitFile]) -> Override | None:
    """The file that systemd would hang on if it read its files now, and with it every start and stop of this user."""
    return next((_unread(one) for one in files if one.odd or one.unseen), None)


def _all(agents: Iterable[str], also: Iterable[str]) -> tuple[str, ...]:
    return (*_SHARED, *also, *(agent_unit(name) for name in sorted(agents)))


class _Judge:
    def __init__(self, look: Look, files: Sequence[UnitFile]) -> None:
        self._look = look
        self._own = {one.unit: one for one in look.unit_files() if one.own_folder and not one.drop_in}
        self._by_unit: dict[str, list[UnitFile]] = {}
        for one in files:
            self._by_unit.setdefault(one.unit, []).append(one)
        # For a unit that is not loaded, systemd would read such a folder now for the first time.
        self._folders = [one for one in files if one.unseen and not one.unit]
        self._loaded = {name for name, one in look.units().items() if one.load == "loaded"} if self._folders else set()
        self._lists: dict[tuple[str, ...], list[UnitFile]] = {}  # drop-ins, by the names of the folders they are in
        self._shared: dict[str, str] = {}  # the condition of a drop-in for many units is judged for the first of them

    def unit(self, unit: str) -> Override | None:
        template = AGENT_TEMPLATE if _instance(unit) else unit
        own = self._own.get(template)
        files = [one for one in self._by_unit.get(unit, ()) if not one.drop_in] if unit != template else []
        files = [one for one in files if own is None or one.leads_to != own.leads_to]
        before = [one for one in self._by_unit.get(template, ()) if not one.drop_in and not one.own_folder]
        files += [one for one in before if own is not None and one.rank < own.rank]
        added = self._drop_ins(unit)
        unread = [one for one in (*files, own, *added) if one is not None and (one.odd or one.unseen)]
        if not unread and unit not in self._loaded:
            unread = self._folders
        if unread:
            return _unread(unread[0])
        if files:
            return _replaced(unit, files[0])
        deciding = next(((one, name) for one in added for name in one.sets if name in DECIDING), None)
        if deciding is not None:
            path, name = deciding[0].path, deciding[1]
            return Override(word="overridden", path=path, why=f"{path} sets {name}= of {unit}: {_revert(path)}")
        conditions = [one for one in added if any(name.startswith(_CONDITIONS) for name in one.sets)]
        return self._condition(unit, conditions) if conditions else None

    def _condition(self, unit: str, added: Sequence[UnitFile]) -> Override | None:
        path = added[0].path
        many = path if all(one.unit != unit for one in added) else unit
        if many not in self._shared:
            try:
                self._shared[many] = self._look.failing_condition(unit)
            except ObserveError as error:
                self._shared[many] = str(error)
        if not (fails := self._shared[many]):
            return None
        why = f"a condition of {unit} does not hold ({fails}), which {path} has set: {_revert(path)}"
        return Override(word="overridden", path=path, why=why)

    def _drop_ins(self, unit: str) -> list[UnitFile]:
        """The drop-ins in force for a unit: of several with one name the most specific, then the first in search
        order."""
        own = [name for name in _names(unit) if name in self._by_unit]
        known = self._lists.get(tuple(own))
        if known is not None:
            return known
        chosen: dict[str, UnitFile] = {}
        for name in own:
            for one in sorted((one for one in self._by_unit.get(name, ()) if one.drop_in), key=lambda one: one.rank):
                chosen.setdefault(one.path.rpartition("/")[2], one)
        self._lists[tuple(own)] = found = [one for _, one in sorted(chosen.items()) if not one.masked]
        return found


def _names(unit: str) -> Iterable[str]:
    """The names whose drop-ins apply to a unit, the most specific first: systemd.unit(5)."""
    stem, _, kind = unit.rpartition(".")
    prefix, at, instance = stem.partition("@")
    prefixes = [prefix, *(prefix[: i + 1] for i in range(len(prefix) - 1, -1, -1) if prefix[i] == "-")]
    for one in prefixes:
        yield f"{one}{at}{instance}.{kind}"
        if at:
            yield f"{one}@.{kind}"
    if at:
        yield from (f"{one}.{kind}" for one in prefixes[1:])
    yield kind


def _unread(file: UnitFile) -> Override:
    if file.unseen:
        return Override(word="unknown", path=file.path, why=f"{file.path} could not be read: {file.unseen}")
    why = f"{file.path} is {file.odd}, which systemd would wait for: {_revert(file.path)}"
    return Override(word="overridden", path=file.path, why=why)


def _replaced(unit: str, file: UnitFile) -> Override:
    if file.masked:
        runtime = " --runtime" if file.path.startswith("/run/") else ""
        return Override(
            word="masked",
            path=file.path,
            why=f"{unit} is masked by {file.path}: systemctl --user unmask{runtime} {unit}",
        )
    return Override(
        word="overridden", path=file.path, why=f"{file.path} is in the place of {unit}: {_revert(file.path)}"
    )


def _revert(path: str) -> str:
    return f"move {path} away, then: systemctl --user daemon-reload"


def _instance(unit: str) -> bool:
    return unit.startswith(AGENT_PREFIX) and unit != AGENT_TEMPLATE
