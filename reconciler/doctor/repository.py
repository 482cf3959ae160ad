"""The source of the desired state: can it be read, when was it last read, and whom does this host trust. Pure."""

from __future__ import annotations

import shlex

from reconciler.doctor.check import Check, Unseen, unseen
from reconciler.helpers.times import spell_duration
from specs.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The repository answered: its branch (or what else is reconciled of it), and the commit that this is at."""

    ref: str
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreachedRemote:
    """It did not, and why. `dubious`: git refuses the folder because it belongs to somebody else."""

    why: str
    help: str = ""
    dubious: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """`settings_error` is what is wrong with reconcile.toml. `shown` is the source without passwords, "" if none was
    named. `seen_at`: when it was last read, None if never. `keys` is what verification stands on, `keys_error` why it
    cannot. `rejected` is why the newest commit is not in force, by the last run."""

    settings_file: str
    there: bool = True
    settings_error: UnreachedRemote | None = None
    shown: str = ""
    local: bool = True
    reached: Reached | UnreachedRemote | None = None
    seen_at: float | None = None
    verify: str = "none"
    keys: str = ""
    keys_error: UnreachedRemote | None = None
    rejected: str = ""
    ledger: str | Unseen | None = None  # what is wrong with it; None where none has been begun


def judge_repository(found: Repository, *, now: float) -> list[Check]:
    """Settings, the source, trust, and the list of what was applied."""
    settings = found.settings_error
    if settings is not None:
        return [
            Check(
                name="settings",
                group="source",
                result="fail",
                found=settings.why,
                advice=settings.help,
                mend=() if settings.help.startswith("edit ") else _commands(settings.help),
            )
        ]
    text = f"{found.settings_file} can be read" if found.there else f"all defaults: {found.settings_file} is not there"
    checks = [Check(name="settings", group="source", result="ok", found=text)]
    return [*checks, *_source(found, now), _trust(found), *_rejected(found), *_ledger(found)]


def _commands(help_: str) -> tuple[str, ...]:
    return (help_,) if help_.startswith(("chmod ", "sudo ", "git ")) else ()


def _source(found: Repository, now: float) -> list[Check]:
    name, reached = "source", found.reached
    if reached is None:
        return []
    if isinstance(reached, Reached):
        text = f"{found.shown} can be read; {reached.ref} is at {reached.revision[:12]}"
        return [Check(name=name, group="source", result="ok", found=text)]
    return [_unreached(name, found, reached, now)]


def _unreached(name: str, found: Repository, reached: UnreachedRemote, now: float) -> Check:
    seen = (
        "it was never read" if found.seen_at is None else f"it was last read {spell_duration(now - found.seen_at)} ago"
    )
    text = f"{found.shown}: {reached.why}; {seen}"
    if reached.dubious:
        mend = (f"git config --global --add safe.directory {shlex.quote(reached.dubious)}",)
        return Check(name=name, group="source", result="fail", found=text, mend=mend)
    again = (f"git ls-remote {shlex.quote(found.shown)} HEAD",) if "***" not in found.shown else ()
    return Check(
        name=name,
        group="source",
        result="fail" if found.local or found.seen_at is None else "warn",
        found=text,
        mend=again,
        advice=reached.help
        or "what is in force stays in force, and agents are still healed; see "
        "docs/recover.md, The remote is unreachable",
    )


def _trust(found: Repository) -> Check:
    name, error = "trust", found.keys_error
    if error is not None:
        return Check(
            name=name,
            group="source",
            result="fail",
            found=f"verify = {found.verify}, and {error.why}",
            mend=_commands(error.help),
            advice="" if _commands(error.help) else error.help or "nothing can be applied",
        )
    if found.verify == "none":
        text = "commits need no signature (verify = none): anyone who can write to the repository decides"
    else:
        text = f"verify = {found.verify}, by {found.keys}"
    return Check(name=name, group="source", result="ok", found=text)


def _rejected(found: Repository) -> list[Check]:
    if not found.rejected:
        return []
    return [
        Check(
            name="newest-commit",
            group="source",
            result="fail",
            found=found.rejected,
            mend=("reconcile --dry-run",),
            advice="the last good commit stays in force until this is fixed",
        )
    ]


def _ledger(found: Repository) -> list[Check]:
    name = "ledger"
    if found.ledger is None:
        return []
    if isinstance(found.ledger, Unseen):
        return [unseen(name, "source", found.ledger)]
    if not found.ledger:
        return [Check(name=name, group="source", result="ok", found="the list of applied commits is whole")]
    return [
        Check(
            name=name,
            group="source",
            result="warn" if found.verify == "none" else "fail",
            found=found.ledger,
            mend=("reconcile --dry-run --allow-rewind",),
            advice="look at the newest commit with your own eyes, or restore the file; then: reconcile --allow-rewind",
        )
    ]
