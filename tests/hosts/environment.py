"""The project in another system's own Python: the packages it needs, at the very path of the tests' environment.

A test names `sys.executable` and the commands beside it; in a machine of another system these paths hold that system's
interpreter. The packages are fetched once, by this machine's pip as it is configured, and installed without a network.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

from tests.hosts import roots
from tests.hosts.errors import HostUnavailable
from tests.hosts.systems import CHECKOUT, System

WHEELS = "/mnt/wheels"  # where a bare machine has what the project needs
_VERSION = 1  # of the steps below
_MAKE = """
set -eu
python3 -m venv "{prefix}"
"{prefix}/bin/python" -m pip install -q --disable-pip-version-check --no-index --find-links {wheels} {packages}
"""


def environment(system: System) -> Path:
    """The folder that a machine of this system shows at `sys.prefix`. Raises HostUnavailable with what went wrong."""
    if sys.prefix == sys.base_prefix:
        raise HostUnavailable("machines of other systems need the tests to run in a virtual environment: ./dev venv")
    base = roots.root(system)
    recipe = repr((_VERSION, base.name, sys.prefix, str(CHECKOUT), dependencies()))
    stem = f"{system.name}-{hashlib.sha256(sys.prefix.encode()).hexdigest()[:6]}"
    folder = roots.CACHE / "environments" / f"{stem}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if not folder.is_dir():
        packages = wheels(system)
        with roots.alone(stem):
            if not folder.is_dir():
                with roots.whole(folder, stem) as partial:
                    _fill(partial, base, packages)
    return folder


def wheels(system: System) -> Path:
    """A folder with all that pip needs to install the project with this system's Python, also to build it."""
    python = _python_of(roots.root(system, "bare"))
    recipe = repr((_VERSION, dependencies()))
    stem = f"python{python}"
    folder = roots.CACHE / "wheels" / f"{stem}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if not folder.is_dir():
        with roots.alone(f"wheels-{stem}"):
            if not folder.is_dir():
                with roots.whole(folder, stem) as partial:
                    _download(python, partial)
    return folder


def dependencies() -> list[str]:
    """What the project needs at run time, and what builds it."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    return [*project["project"]["dependencies"], *project["build-system"]["requires"], "wheel"]


def _python_of(root: Path) -> str:
    """Such as 3.13."""
    target = os.readlink(root / "usr/bin/python3")
    if (found := re.fullmatch(r"(?:.*/)?python(3\.\d+)", target)) is None:
        raise HostUnavailable(f"{root}/usr/bin/python3 leads to {target}, which tells no version")
    return found[1]


def _download(python: str, folder: Path) -> None:
    # By the tests' own Python: it is the one that is configured to reach an index.
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--only-binary=:all:"]
    argv = [*pip, f"--python-version={python}", f"--dest={folder}", *dependencies()]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HostUnavailable(f"pip cannot download what Python {python} needs:\n{done.stderr[-2000:]}")


def _fill(partial: Path, base: Path, packages: Path) -> None:
    names = " ".join(f"'{one}'" for one in dependencies())
    binds = {partial: sys.prefix, packages: WHEELS}
    roots.made(base, _MAKE.format(prefix=sys.prefix, packages=names, wheels=WHEELS), binds=binds, aside=True)
    # The project itself is the checkout, as it is in the tests' own environment.
    site = next(partial.glob("lib/python3*/site-packages"))
    own = Path(sysconfig.get_paths()["purelib"])
    for entry in own.glob("*mosaic_fleet*"):
        (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, site / entry.name)
    for command in ("reconcile", "mosaic"):
        shutil.copy2(Path(sys.prefix, "bin", command), partial / "bin" / command)
