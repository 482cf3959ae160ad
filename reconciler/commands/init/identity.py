"""Who commits: `mosaic fleet init` asks for this first, since nothing can be committed without it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.commands.init.ask import Asker


def ask_identity(asker: Asker, place: str, facts: HostFacts) -> Mapping[str, str]:
    """The name and the address to keep, by git's keys; empty if git knows them. Raises Refused where nobody can be
    asked. From here on this process commits by that name."""
    from reconciler.changes.commit import must_have_identity
    from reconciler.errors import Refused
    from reconciler.git.location import parse_place

    folder = parse_place(place).path or Path(facts.home)
    while not folder.is_dir():
        folder = folder.parent
    try:
        must_have_identity(folder)
    except Refused:
        if not asker.there:
            raise
    else:
        return {}
    name = asker.text("Your name? Every commit says whose it is.", _full_name(facts), _name_fault)
    email = asker.text("Your e-mail address, for the same?", f"{facts.user}@{facts.hostname}", _email_fault)
    for who in ("AUTHOR", "COMMITTER"):
        os.environ[f"GIT_{who}_NAME"], os.environ[f"GIT_{who}_EMAIL"] = name, email
    must_have_identity(folder)
    return {"user.name": name, "user.email": email}


def keep_identity(path: Path, identity: Mapping[str, str]) -> None:
    """In this repository's own configuration: what others are configured like is not ours to say. Raises GitFailed."""
    from reconciler.git.process import run_as_operator
    from reconciler.git.worktree import LOCAL_S

    for key, value in identity.items():
        run_as_operator(["config", key, value], cwd=path, timeout_s=LOCAL_S)


def _full_name(facts: HostFacts) -> str:
    import pwd

    try:
        entry = pwd.getpwuid(facts.uid).pw_gecos.partition(",")[0].strip()
    except KeyError:
        entry = ""
    return entry or facts.user


def _name_fault(answer: str) -> str | None:
    return None if answer and not any(char in answer for char in "<>") else "is not a name"


def _email_fault(answer: str) -> str | None:
    return None if "@" in answer.strip("@") and not any(char in answer for char in "<> ") else "is not an address"
