"""The facts about this host and user that do not change during a run, from the environment and the XDG defaults."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Mapping

from providers.filesystem.guarded_read import read_regular
from providers.host import HostFacts


def gather(environ: Mapping[str, str]) -> HostFacts:
    """Never fails: a variable that is unset, empty or (against the XDG rules) relative has its default."""
    uid = os.getuid()
    try:
        entry = pwd.getpwuid(uid)
        user, home = entry.pw_name, entry.pw_dir
    except KeyError:  # a uid without an account, as in some containers
        user, home = environ.get("USER") or str(uid), "/"
    home = _named(_folder(environ, "HOME", home), home)
    config_home = _named(_folder(environ, "XDG_CONFIG_HOME", f"{home}/.config"), f"{home}/.config")
    return HostFacts(
        user=user,
        uid=uid,
        hostname=os.uname().nodename,
        home=home,
        mosaic_home=_named(_folder(environ, "MOSAIC_HOME", f"{home}/.config/mosaic"), f"{home}/.config/mosaic"),
        unit_dir=f"{config_home}/systemd/user",
        runtime_dir=_folder(environ, "XDG_RUNTIME_DIR", f"/run/user/{uid}"),
        state_home=_named(_folder(environ, "XDG_STATE_HOME", f"{home}/.local/state"), f"{home}/.local/state"),
        config_home=config_home,
        python=os.path.realpath(sys.executable),
        interpreter=interpreter(),
        stub_program=os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "stub.py"),
        machine_id=_machine_id(),
    )


def interpreter() -> str:
    """The Python that runs us, a virtual environment's own, by one path: `python -m` and a console script of the same
    environment write the same files, whatever name or link started them."""
    called = os.path.abspath(sys.executable)
    own = sys.prefix != sys.base_prefix
    folder = os.path.join(os.path.realpath(sys.prefix), "bin") if own else os.path.realpath(os.path.dirname(called))
    usual = os.path.join(folder, "python3")
    return usual if os.path.realpath(usual) == os.path.realpath(called) else called


def _machine_id(path: str = "/etc/machine-id") -> str:
    """32 hex digits. "" if there is none, or if it exists for this boot only and is mounted over the file."""
    try:
        text = read_regular(path, limit=64, cut=True).decode("ascii").strip().lower()
        passing = os.stat(path).st_dev != os.stat(os.path.dirname(path)).st_dev
    except (OSError, ValueError):
        return ""
    return "" if passing or len(text) != 32 or text.strip("0123456789abcdef") or not text.strip("0") else text


def _folder(environ: Mapping[str, str], name: str, default: str) -> str:
    value = environ.get(name, "")
    return os.path.normpath(value if os.path.isabs(value) else default)


def _named(folder: str, usual: str) -> str:
    """One name for a folder, whatever links lead to it: a launch digest covers these paths, and another name would mean
    another launch. Follows links only where the names differ."""
    return usual if folder != usual and os.path.realpath(folder) == os.path.realpath(usual) else folder
