"""The environment of this shell and of the user's systemd: locale, and folders that only one of them knows. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from reconciler.doctor.check import Check, Unseen

FOLDERS = {"MOSAIC_HOME": ".config/mosaic", "XDG_CONFIG_HOME": ".config", "XDG_STATE_HOME": ".local/state"}
DROP_IN = "~/.config/environment.d/60-mosaic.conf"


def judge_locale(environ: Mapping[str, str], *, usable: bool) -> Check:
    """`usable`: the C library knows the locale that is set."""
    name = next((name for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    value = environ.get(name, "") if name else ""
    shown = f"{name}={value}" if name else "no locale is set"
    if not usable:
        return Check(
            name="locale",
            group="session",
            result="warn",
            found=f"{shown}: this machine has no such locale, so programs fall back to ASCII",
            mend=(f"export {name}=C.UTF-8",),
        )
    if re.search(r"utf-?8", value, re.IGNORECASE):
        return Check(name="locale", group="session", result="ok", found=f"{shown}; so do agents")
    mend: tuple[str, ...] = ("export LANG=C.UTF-8",)
    if name in ("LC_ALL", "LC_CTYPE"):
        mend = (f"unset {name}", *mend)
    return Check(
        name="locale",
        group="session",
        result="warn",
        found=f"{shown}: in this shell tmux shows letters outside of ASCII as _; agents get C.UTF-8 all the same",
        mend=mend,
    )


def judge_environment(here: Mapping[str, str], there: Mapping[str, str] | Unseen) -> Check:
    """Whether the reconciler, which the user's systemd starts, looks where this shell looks."""
    name = "environment"
    if isinstance(there, Unseen):
        return Check(name=name, group="session", result="unknown", found=there.why)
    home, sentences, mend = here.get("HOME", ""), [], []
    for variable, default in FOLDERS.items():
        value, other = (one.get(variable) or f"{home}/{default}" for one in (here, there))
        if value == other:
            continue
        sentences.append(f"{variable} is {value} here and {other} in the user's systemd")
        mend += [
            f"mkdir -p ~/.config/environment.d && echo {shlex.quote(f'{variable}={value}')} >>{DROP_IN}",
            f"systemctl --user set-environment {shlex.quote(f'{variable}={value}')}",
        ]
    if not sentences:
        return Check(
            name=name, group="session", result="ok", found="this shell and the user's systemd agree on folders"
        )
    return Check(
        name=name,
        group="session",
        result="warn",
        found="; ".join(sentences) + ": the timer looks elsewhere than you do",
        mend=tuple(mend),
    )
