"""`./dev newest [PROGRAM[=VERSION]...]`: try the newest published versions, and name what changed.

Each program that has a newer version than the pinned one is installed beside it. Its scenes are played and its screens
compared with the recorded ones of the pinned version; then the tests with real programs run with it. Nothing of the
project changes: what was recorded stays in the cache.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module

from providers.programs.base import Reading
from providers.programs.registry import READERS, program
from providers.programs.screens.versions import numbers
from tests.hosts.namespace import CHECKOUT
from tests.programs.captures import Frame, document, frames
from tests.real_agents.packages import CACHE, CHOSEN, PACKAGES, InstallError
from tests.real_agents.recording import pinned, record

VIEW_TIMEOUT_S = 60.0
CHECKS = ("test_delivery.py", "test_hooks.py", "test_own_words.py", "test_contract.py", "test_attending.py")
# What a listing, a sender or an answer is decided by; the words of a question and of the evidence may change.
FIELDS = ("turn", "composer", "asks", "queued", "placeholders", "takes_text", "trouble", "until", "choices")


def published(name: str) -> str:
    """The newest version in the registry. Raises InstallError."""
    npm = shutil.which("npm")
    if npm is None:
        raise InstallError("npm is not on PATH (Debian packages: nodejs npm)")
    command = [npm, "view", PACKAGES[name], "version", "--no-update-notifier"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=VIEW_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise InstallError(f"npm view {PACKAGES[name]} gave no answer within {VIEW_TIMEOUT_S:.0f} s") from None
    if done.returncode or not numbers(done.stdout):
        raise InstallError(f"npm view {PACKAGES[name]}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout.strip()


def differences(before: Reading, after: Reading) -> list[str]:
    """What another reading would decide otherwise, in words."""
    return [
        f"{name} is {_shown(getattr(after, name))}, was {_shown(getattr(before, name))}"
        for name in FIELDS
        if _essence(name, getattr(after, name)) != _essence(name, getattr(before, name))
    ]


def _essence(name: str, value: object) -> object:
    """Of choices, what they mean and which keys choose them."""
    if name != "choices" or not isinstance(value, tuple):
        return value
    return [(choice.means, choice.keys, choice.selected) for choice in value]


def _shown(value: object) -> str:
    return repr(value)[:120] or "nothing"


def try_screens(name: str, version: str) -> list[str]:
    """Play the scenes; what is missing or read otherwise than with the pinned version."""
    stage = record(name, version, import_module(f"tests.real_agents.scenes_{name}").SCENES)
    kept = CACHE / "newest" / name / version
    shutil.rmtree(kept, ignore_errors=True)
    known = {frame.name: frame for frame in frames(name) if frame.version == pinned(name)}
    found = [f"scene {failed}" for failed in stage.failed]
    for title, seen in stage.taken.items():
        reading = program(name).read(seen, version)
        frame = Frame(program=name, version=version, name=title, folder=kept.parents[1])
        frame.write(seen, reading)
        if title in known:
            found += [f"screen {title}: {one}" for one in differences(known[title].reading, reading)]
        elif not document(reading):
            found.append(f"screen {title}: it is not understood")
    return found


def try_tests(chosen: str) -> list[str]:
    """Run the tests with real programs; which fail."""
    environ = {**os.environ, CHOSEN: chosen, "MOSAIC_TEST_REQUIRE_HOSTS": "1"}
    paths = [str(CHECKOUT / "tests/real_agents" / one) for one in CHECKS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfE", "--tb=line", *paths]
    done = subprocess.run(command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, check=False)
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if done.returncode and not failed:
        return [f"the tests ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}"]
    return [f"test {one}" for one in failed]


def main(words: Sequence[str]) -> int:
    """0: the newest versions are like the pinned ones; 1: something changed; 2: usage; 69: a version cannot be had."""
    asked = dict(word.partition("=")[::2] for word in words)
    if unknown := asked.keys() - READERS:
        print(f"usage: ./dev newest [PROGRAM[=VERSION]...]; no program: {', '.join(unknown)}", file=sys.stderr)
        return 2
    try:
        versions = {name: asked.get(name) or published(name) for name in sorted(asked or READERS)}
        newer = {name: version for name, version in versions.items() if version != pinned(name)}
        for name, version in versions.items():
            print(f"{name}: {version}, pinned {pinned(name)}", flush=True)
        changed = {name: try_screens(name, version) for name, version in newer.items()}
    except InstallError as error:
        print(f"error: {error}", file=sys.stderr)
        return 69
    if newer:
        changed["tests"] = try_tests(" ".join(f"{name}={version}" for name, version in newer.items()))
    for name, found in changed.items():
        print(f"{name}: {'nothing changed' if not found else ''}")
        for one in found:
            print(f"  {one}")
    if newer:
        print(f"screens: {CACHE / 'newest'}; how to add a version: docs/add-a-version.md")
    return 1 if any(changed.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
