"""The environment of this shell and of the user's systemd: locale, and folders that only one of them knows. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

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


def tmux_elsewhere(environ: Mapping[str, str], uid: int, sockets: Sequence[str]) -> str:
    """That a plain `tmux` of this shell looks in another folder than the one that the agents' sessions are in, and how
    to look there; "" where it does not. Agents' servers never follow TMUX_TMPDIR, so that all of a user find them."""
    folder = environ.get("TMUX_TMPDIR", "")
    if not folder or folder.rstrip("/") == "/tmp":  # noqa: S108 - tmux's own folder
        return ""
    socket = sockets[0] if sockets else ""
    named = f" -L {shlex.quote(socket)}" if socket else ""
    return (
        f"TMUX_TMPDIR={folder} makes `tmux` in this shell look in {folder.rstrip('/')}/tmux-{uid}; the agents' "
        f"sessions are in /tmp/tmux-{uid}/{socket or 'default'}: env -u TMUX_TMPDIR tmux{named} attach, "
        "or mosaic agent attach NAME"
    )


def judge_tmux_attach(environ: Mapping[str, str], uid: int, sockets: Sequence[str]) -> Check:
    """Whether `tmux attach` finds the agents' sessions."""
    said = tmux_elsewhere(environ, uid, sockets)
    if not said:
        found = f"`tmux` in this shell looks in /tmp/tmux-{uid}, where the agents' sessions are"
        return Check(name="tmux-attach", group="session", result="ok", found=found)
    return Check(name="tmux-attach", group="session", result="warn", found=said, mend=("unset TMUX_TMPDIR",))


def judge_host(refused: tuple[str, str]) -> Check:
    """Whether this is the home and the host that was seen first. `refused`: what a run would say, and its way out."""
    said, way = refused
    if not said:
        return Check(
            name="host", group="session", result="ok", found="the home and the host are those of the first run"
        )
    return Check(name="host", group="session", result="fail", found=said, advice=way)


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
