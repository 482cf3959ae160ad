"""Decide which fleet is meant if a command line does not say: one answer for every command.

The order is: the argument or `--fleet`, MOSAIC_FLEET, the repository of the current folder, `source` in reconcile.toml,
the only fleet that has run on this host.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reconciler.context.bindings import Bindings, read_bindings
from reconciler.errors import MosaicError, NotFound, Usage
from reconciler.git.location import parse_place
from specs.dataclass import dataclass
from specs.fleet_files import FILES

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.context.settings import Settings

NamedBy = Literal["argument", "MOSAIC_FLEET", "this folder", "reconcile.toml", "this host"]
NOBODY = "--fleet PATH, or go to its folder, or set MOSAIC_FLEET, or run: mosaic fleet install PATH"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhichFleet:
    """`repository`: the argument for `parse_place`, None if only the fleet's name is known here. `name`: the fleet's
    name on this host, None if it has not run here. `by`: what named it."""

    repository: str | None
    name: str | None
    by: NamedBy

    def must_have_repository(self) -> str:
        """Raises NotFound if no record says where the repository is."""
        if self.repository is None:
            text = f"the repository of the fleet {self.name} is not recorded on this host"
            raise NotFound(text, help="give it: --fleet PATH")
        return self.repository


def which_fleet(
    given: str | None,
    settings: Settings,
    facts: HostFacts,
    environ: Mapping[str, str],
    *,
    has_run: bool = False,
    files: bool = False,
) -> WhichFleet | None:
    """None if nothing names one.

    `has_run`: only a fleet that has run here will do, so another repository in the current folder is skipped. `files`:
    the caller wants the files, so those in the current folder count, committed or not, in a repository or not. Raises
    Usage and Refused as `parse_place` does, NotFound if several fleets have run here.
    """
    bindings = read_bindings(facts)
    if given:
        return _which(given, "argument", bindings, settings, facts)
    if named := environ.get("MOSAIC_FLEET"):
        return _which(named, "MOSAIC_FLEET", bindings, settings, facts)
    root = fleet_root(environ, files=files)
    if root is not None:
        found = _which(str(root), "this folder", bindings, settings, facts)
        if found.name is not None or not has_run:
            return found
    if settings.source:
        return _which(settings.source, "reconcile.toml", bindings, settings, facts)
    return _only(bindings, settings, facts)


def unnamed(environ: Mapping[str, str], *, has_run: bool, files: bool) -> str:
    """What to say to a person who named no fleet: which repository `which_fleet` takes, if the current folder decides
    that. With `files`, say it in every case, since other files may be meant. "" for nothing."""
    from providers.machine.facts import gather
    from reconciler.context.settings import read_settings, settings_path
    from reconciler.git.process import redact

    if not files and fleet_root(environ) is None:
        return ""  # and nothing is looked up
    facts = gather(environ)
    settings = read_settings(settings_path(facts.config_home))
    found = which_fleet(None, settings, facts, environ, has_run=has_run, files=files)
    if found is None or found.repository is None or not (files or found.by == "this folder"):
        return ""
    return f"fleet repository: {redact(found.repository)} (from {found.by})"


def fleet_root(environ: Mapping[str, str], *, files: bool = False) -> Path | None:
    """The root of the current working tree, if it has a fleet's roster. A unit has no current folder. `files`: the
    current folder itself, if it has a fleet's files."""
    if "NOTIFY_SOCKET" in environ or "MOSAIC_TRIGGER" in environ:
        return None
    with suppress(OSError):
        folder = Path.cwd()
        if files and any((folder / name).is_file() for name in FILES):
            return folder
        for one in (folder, *folder.parents):
            if (one / ".git").exists():
                return one if (one / "roster.yaml").is_file() else None
    return None


def must_be_named(found: WhichFleet | None) -> WhichFleet:
    """Raises Usage, with the ways to name one."""
    if found is None:
        raise Usage("no fleet was named", help=NOBODY)
    return found


def known_fleets(facts: HostFacts) -> list[str]:
    """The names of the fleets that have run on this host."""
    with suppress(OSError):
        return sorted(path.parent.name for path in Path(facts.state_home, "mosaic").glob("*/status.json"))
    return []


def _which(spec: str, by: NamedBy, bindings: Bindings, settings: Settings, facts: HostFacts) -> WhichFleet:
    # MOSAIC_FLEET, set in every pane, may hold a name: it is that name in whatever folder an agent works.
    word = "/" not in spec and by in ("argument", "MOSAIC_FLEET") and not (by == "argument" and Path(spec).exists())
    if word and spec in {*bindings.names.values(), *known_fleets(facts)}:
        return WhichFleet(repository=_written_down(spec, bindings, settings), name=spec, by=by)
    return WhichFleet(repository=spec, name=bindings.names.get(parse_place(spec).key), by=by)


def _written_down(name: str, bindings: Bindings, settings: Settings) -> str | None:
    if settings.source:
        with suppress(MosaicError):
            if bindings.names.get(parse_place(settings.source).key) == name:
                return settings.source
    return bindings.repositories.get(name)


def _only(bindings: Bindings, settings: Settings, facts: HostFacts) -> WhichFleet | None:
    known = known_fleets(facts)
    if len(known) > 1:
        raise NotFound(f"several fleets run here: {', '.join(known)}", help="say which with --fleet")
    if not known:
        return None
    return WhichFleet(repository=_written_down(known[0], bindings, settings), name=known[0], by="this host")
