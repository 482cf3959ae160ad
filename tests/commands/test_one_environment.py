"""However an environment's program is called, it writes the same files: those that are made of these facts and of this
command."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.hosts.namespace import CHECKOUT

PROBE = """\
import os
from providers.machine.facts import gather
from reconciler.context.service_command import service_command
print(service_command(), gather(os.environ))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that has this checkout, with a console script, and a link that leads to it."""
    folder = tmp_path_factory.mktemp("environments")
    home = folder / "real"
    venv.EnvBuilder(symlinks=True).create(home)
    packages = next(home.glob("lib/python3*/site-packages"))
    (packages / "probe.py").write_text(PROBE)
    (packages / "checkout.pth").write_text(f"{CHECKOUT}\n")
    for name, interpreter in (("console", "python3"), ("other", "python")):
        script = home / "bin" / name
        script.write_text(f"#!{home}/bin/{interpreter}\n{PROBE}")
        script.chmod(0o755)
    (folder / "link").symlink_to("real")
    return folder


def says(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=180, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_way_to_call_it_writes_the_same(environment: Path) -> None:
    real, link = environment / "real/bin", environment / "link/bin"
    wanted = says(str(real / "console"))
    assert f"('{real}/python3', '-m', 'reconciler')" in wanted
    assert f"interpreter='{real}/python3'" in wanted
    version = f"python3.{sys.version_info.minor}"
    names = [
        folder / name for folder in (real, link) for name in ("python", "python3", version) if (real / name).exists()
    ]
    assert len(names) >= 4
    assert {says(str(name), "-m", "probe") for name in names} == {wanted}
    assert {says(str(folder / "other")) for folder in (real, link)} == {wanted}


def test_an_environment_is_not_what_it_links_to(environment: Path) -> None:
    venv.EnvBuilder(symlinks=True).create(environment / "second")
    find = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})"
    code = f"{find}; from providers.machine.facts import interpreter; print(interpreter())"
    told = [says(str(environment / name / "bin/python"), "-c", code).strip() for name in ("real", "second")]
    assert told == [f"{environment}/real/bin/python3", f"{environment}/second/bin/python3"]
