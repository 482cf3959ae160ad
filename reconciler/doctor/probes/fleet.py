"""Look at the fleet: its settings, its repository, what the last run left, and what older installs have left."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from providers.host import HostFacts
from reconciler.context.settings import Settings, read_settings, settings_path
from reconciler.doctor.check import Unseen
from reconciler.doctor.clock import ClockFacts
from reconciler.doctor.repository import Reached, Repository, UnreachedRemote
from reconciler.errors import InvalidConfig, MosaicError
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from reconciler.state.store import Store
    from reconciler.status.status import FleetStatus
    from specs.compiled import Fleet

FETCH_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFleet:
    """What this host knows of a fleet. `trouble` says why no fleet was found."""

    settings: Settings
    settings_error: MosaicError | None
    store: Store | None
    status: FleetStatus | None
    desired: Fleet | None
    spec: str | None
    trouble: str = ""
    warnings: tuple[str, ...] = ()


def known(facts: HostFacts, fleet: str | None) -> KnownFleet:
    """Raises NotFound, Usage or Refused for a fleet that is named and cannot be found here."""
    from reconciler.context.fleet import fleet_context

    file = settings_path(facts.config_home)
    settings, error = Settings(), None
    try:
        settings = read_settings(file)
    except MosaicError as wrong:
        error = wrong
    except OSError as wrong:
        error = InvalidConfig(f"it cannot be read: {wrong.strerror}", where=str(file))
    nothing = KnownFleet(
        settings=settings,
        settings_error=error,
        store=None,
        status=None,
        desired=None,
        spec=_spec(fleet, settings, facts),
    )
    if error is not None:
        return nothing
    try:
        place = fleet_context(fleet, read_only=True)
    except MosaicError as missing:  # none, several, or a MOSAIC_FLEET that makes no sense
        if fleet is not None:
            raise
        return KnownFleet(
            settings=settings,
            settings_error=None,
            store=None,
            status=None,
            desired=None,
            spec=nothing.spec,
            trouble=missing.message,
        )
    status = place.store.load_status()
    return KnownFleet(
        settings=settings,
        settings_error=None,
        store=place.store,
        status=status,
        desired=desired(place.store.state),
        spec=place.spec or settings.source,
        warnings=tuple(place.store.warnings),
    )


def _spec(fleet: str | None, settings: Settings, facts: HostFacts) -> str | None:
    from reconciler.context.which_fleet import which_fleet

    try:
        found = which_fleet(fleet, settings, facts, os.environ)
    except MosaicError:  # `fleet_context` says the same, and its message is the one that is shown
        return None
    return found.repository if found is not None else None


def desired(state: Path) -> Fleet | None:
    """The fleet that was compiled last, whichever commit it is of; None if there is none that we can read."""
    from reconciler.helpers.atomic_files import read_optional
    from reconciler.helpers.sealed_json import unseal
    from specs.compiled import fleet_from_json

    try:
        raw = read_optional(state / "desired.json")
        return None if raw is None else fleet_from_json(unseal(raw))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def repository(one: KnownFleet, facts: HostFacts) -> Repository:
    """Asks the repository, for at most FETCH_S seconds."""
    from reconciler.source.ledger import marker_path, read_ledger
    from reconciler.source.record import seen_at
    from reconciler.status.conditions import ConditionReason, ConditionStatus, ConditionType

    file = str(settings_path(facts.config_home))
    if one.settings_error is not None:
        error = one.settings_error
        where = "" if error.where in ("", file) else f" ({error.where.splitlines()[0]})"
        return Repository(
            settings_file=file, settings_error=UnreachedRemote(why=f"{error.message}{where}", help=error.help)
        )
    shown, local, reached = _ask(one)
    rejected, seen = "", None
    ledger: str | Unseen | None = None
    if one.store is not None:
        try:
            ledger = read_ledger(one.store.state, marker_path(facts.config_home, one.store.state.name)).problem or ""
            seen = seen_at(one.store.state)
        except OSError as wrong:
            ledger = Unseen(why=f"{wrong.filename}: {wrong.strerror}")
    judged = one.status.condition(ConditionType.SOURCE_READY) if one.status else None
    bad = (ConditionReason.INVALID_CONFIGURATION, ConditionReason.VERIFICATION_FAILED, ConditionReason.NOT_A_DESCENDANT)
    if judged is not None and judged.status is ConditionStatus.FALSE and judged.reason in bad:
        rejected = f"{judged.reason}: {judged.message}"
    keys, keys_error = _keys(one.settings)
    return Repository(
        settings_file=file,
        there=os.path.exists(file),
        shown=shown,
        local=local,
        reached=reached,
        seen_at=seen,
        verify=one.settings.verify,
        keys=keys,
        keys_error=keys_error,
        rejected=rejected,
        ledger=ledger,
    )


def _ask(one: KnownFleet) -> tuple[str, bool, Reached | UnreachedRemote | None]:
    from reconciler.git.location import parse_place
    from reconciler.git.process import GitFailed, run_git

    if one.spec is None:
        return "", True, None
    try:
        place = parse_place(one.spec)
    except MosaicError as error:
        return one.spec, True, UnreachedRemote(why=error.message, help=error.help)
    local, limit = place.path is not None, min(FETCH_S, one.settings.fetch_timeout)
    try:
        tip = place.tip(one.settings.ref, timeout_s=limit)
        if local:  # its files can be read; git has its own opinion, and it is git that fetches
            run_git(["ls-remote", "--end-of-options", place.url, "HEAD"], timeout_s=limit, network=True)
    except GitFailed as error:
        # Git's own word for it, which is the folder inside of a working tree.
        named = re.search(r"dubious ownership in repository at '(.+)'", error.stderr)
        dubious = named[1] if named else ""
        return place.shown, local, UnreachedRemote(why=_first(error.message), help=error.help, dubious=dubious)
    except MosaicError as error:
        return place.shown, local, UnreachedRemote(why=_first(error.message), help=error.help)
    return place.shown, local, Reached(ref=tip.ref, revision=tip.oid)


def _first(text: str) -> str:
    return (text.strip().splitlines() or [""])[0]


def _keys(settings: Settings) -> tuple[str, UnreachedRemote | None]:
    from reconciler.source.trust import load_keys

    if settings.verify == "none":
        return "", None
    try:
        load_keys(settings)
    except MosaicError as error:
        where = f" ({error.where})" if error.where else ""
        return "", UnreachedRemote(why=f"{error.message}{where}", help=error.help)
    parts = []
    if settings.allowed_signers is not None:
        parts.append(f"the SSH keys in {settings.allowed_signers}")
    if settings.gpg_keyring is not None:
        parts.append(f"the GPG keys in {settings.gpg_keyring}")
    return " and ".join(parts), None


def helpers(one: KnownFleet) -> dict[str, str]:
    """Programs beside the big ones that this host needs, with Debian's package of each."""
    needed = {"systemd-run": "systemd", "timeout": "coreutils"}
    if one.settings.verify != "none" and one.settings.allowed_signers is not None:
        needed["ssh-keygen"] = "openssh-client"
    if one.settings.verify != "none" and one.settings.gpg_keyring is not None:
        needed["gpg"] = "gnupg"
    remote = any(agent.ssh for agent in one.desired.peers) if one.desired else False
    if remote or (one.spec or "").startswith("ssh://"):
        needed["ssh"] = "openssh-client"
    return needed


def clock(one: KnownFleet, now: float, synchronised: bool | Unseen) -> ClockFacts:
    """What we stamped last."""
    if one.status is None:
        return ClockFacts(now=now, synchronised=synchronised)
    return ClockFacts(now=now, synchronised=synchronised, newest=one.status.updated_at, stamp="the last run's status")


def sockets(one: KnownFleet) -> tuple[str, ...]:
    """The tmux sockets of this host's agents, the fleet's own first."""
    from providers.launch.environment import holder_sockets

    return holder_sockets(one.desired) if one.desired is not None else ()


def asked(one: KnownFleet) -> dict[str, tuple[str, ...]]:
    """Agents with a limit that another controller than that of memory keeps, by controller."""
    agents = one.desired.agents if one.desired is not None else ()
    found = {
        "cpu": tuple(agent.name for agent in agents if agent.limits.cpu_weight),
        "pids": tuple(agent.name for agent in agents if agent.limits.tasks_max),
    }
    return {controller: names for controller, names in found.items() if names}


def limited(one: KnownFleet) -> tuple[str, ...]:
    """Agents that have a memory limit."""
    fleet = one.desired
    return tuple(agent.name for agent in fleet.agents if agent.limits.memory_max) if fleet else ()


def runs_agents(one: KnownFleet) -> bool:
    """Whether any agent of this host should run."""
    return one.desired is not None and any(agent.state == "running" for agent in one.desired.agents)
