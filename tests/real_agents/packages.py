"""The real programs, installed by npm at pinned versions into the project's cache folder, once."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "agents"
# Node comes along: claude and pi need 22.19 or newer, which systems of today do not have.
PINS: Mapping[str, str] = {
    "@anthropic-ai/claude-code": "2.1.332",
    "@earendil-works/pi-coding-agent": "1.6.0",
    "@openai/codex": "0.171.0",
    "node": "22.23.3",
    "opencode-ai": "1.18.33",
}
# What the programs are replaced by newer ones from: the versions that were pinned before.
OLDER: Mapping[str, str] = {
    "@anthropic-ai/claude-code": "2.1.197",
    "@mariozechner/pi-coding-agent": "0.73.1",
    "@openai/codex": "0.169.0",
    "node": "20.20.2",
    "opencode-ai": "1.18.33",
}
PACKAGES: Mapping[str, str] = {
    "claude": "@anthropic-ai/claude-code",
    "codex": "@openai/codex",
    "opencode": "opencode-ai",
    "pi": "@earendil-works/pi-coding-agent",
}
PROGRAMS = ("claude", "codex", "node", "opencode", "pi")
CHOSEN = "MOSAIC_TEST_AGENTS"  # "codex=0.172.0 pi=1.7.0": these versions in place of the pinned ones
INSTALL_TIMEOUT_S = 600.0


class InstallError(Exception):
    """The programs are not here and could not be brought; the text says what npm said."""


def pins(chosen: str | None = None) -> Mapping[str, str]:
    """The version of each package. `chosen` as in the environment, which counts without it."""
    words = os.environ.get(CHOSEN, "") if chosen is None else chosen
    pairs = (word.partition("=") for word in words.split())
    return {**PINS, **{PACKAGES.get(name, name): version for name, _, version in pairs}}


def installed(wanted: Mapping[str, str] | None = None) -> Path:
    """npm's prefix that holds the programs (`bin`, `lib`), made if it is not there yet. Raises InstallError."""
    wanted = pins() if wanted is None else wanted
    described = json.dumps([dict(wanted), platform.system(), platform.machine()], sort_keys=True)
    prefix = CACHE / sha256(described.encode()).hexdigest()[:16]
    if prefix.is_dir():
        return prefix
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs of one checkout
        if not prefix.is_dir():
            _install(prefix, wanted)
    return prefix


def _install(prefix: Path, versions: Mapping[str, str]) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise InstallError("npm is not on PATH (Debian packages: nodejs npm)")
    unfinished = prefix.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    # npm's own cache would be as large again, and a home that cannot be written to is no reason to fail.
    scratch = prefix.with_suffix(".scratch")
    options = ["--no-fund", "--no-audit", "--no-update-notifier", "--loglevel=error", f"--cache={scratch}"]
    wanted = [f"{name}@{version}" for name, version in versions.items()]
    try:
        done = subprocess.run(
            [npm, "install", "--global", f"--prefix={unfinished}", *options, *wanted],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=INSTALL_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise InstallError(f"npm did not install {' '.join(wanted)} within {INSTALL_TIMEOUT_S:.0f} s") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if done.returncode:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise InstallError(f"npm could not install {' '.join(wanted)}:\n{(done.stderr or done.stdout)[-2000:]}")
    missing = [name for name in PROGRAMS if not os.access(unfinished / "bin" / name, os.X_OK)]
    if missing:
        raise InstallError(f"npm installed {' '.join(wanted)}, and yet there is no {', '.join(missing)}")
    unfinished.rename(prefix)
