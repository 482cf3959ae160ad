"""The front door: `dev` from anywhere, in any folder, with or without a usable Python."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.hosts.namespace import CHECKOUT

# Stands for every Python: makes a "virtual environment" whose python is itself, and notes what it was asked to do.
FAKE = """#!/bin/sh
here=$0
echo "$*" >>"{log}"
case "$1 $2" in
  "-c import sys"*) exit {old} ;;
  "--version "*) echo "Python {version}" ;;
  "-m venv")
    for folder; do :; done
    mkdir -p "$folder/bin"
    cp "$here" "$folder/bin/python" ;;
esac
"""
PYTEST = "-m pytest -n 4 --dist loadfile --durations=25 --durations-min=1"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A checkout in a path with spaces."""
    folder = tmp_path / "a path with spaces" / "check out"
    folder.mkdir(parents=True)
    for name in ("dev", "pyproject.toml"):
        shutil.copy2(CHECKOUT / name, folder / name)
    return folder


def fake_pythons(folder: Path, version: str, *, old: bool) -> Path:
    folder.mkdir()
    log = folder.parent / "asked.log"
    log.touch()
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        (folder / name).write_text(FAKE.format(log=log, old=int(old), version=version))
        (folder / name).chmod(0o755)
    return log


def dev(elsewhere: Path, tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "HOME": f"{tmp_path}/no home"}
    return subprocess.run(
        [elsewhere / "dev", *words], cwd="/", env=env, capture_output=True, text=True, check=False, timeout=60
    )


def test_it_makes_an_environment_once_from_any_folder(elsewhere: Path, tmp_path: Path) -> None:
    log = fake_pythons(tmp_path / "bin", "3.12.1", old=False)
    first = dev(elsewhere, tmp_path, "venv")
    assert (first.returncode, first.stdout) == (0, f"{elsewhere}/.venv\n"), first.stderr
    install = next(line for line in log.read_text().splitlines() if "pip install" in line)
    assert install.endswith(f"--no-cache-dir --editable {elsewhere}[dev]")
    log.write_text("")
    assert dev(elsewhere, tmp_path, "venv").returncode == 0
    assert "pip" not in log.read_text()
    with (elsewhere / "pyproject.toml").open("a") as stream:
        stream.write("# changed\n")
    assert dev(elsewhere, tmp_path, "venv").returncode == 0
    assert "pip install" in log.read_text()


def test_an_old_python_is_refused_in_words(elsewhere: Path, tmp_path: Path) -> None:
    fake_pythons(tmp_path / "bin", "3.10.13", old=True)
    done = dev(elsewhere, tmp_path, "lint")
    assert done.returncode == 1
    assert done.stderr == "dev: Python 3.11 or newer is needed, and this is Python 3.10.13\n"
    assert not (elsewhere / ".venv").exists()


def test_a_wrong_call_shows_the_usage(elsewhere: Path, tmp_path: Path) -> None:
    done = dev(elsewhere, tmp_path, "tset")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ./dev demo|test|")


def test_arguments_reach_pytest(elsewhere: Path, tmp_path: Path) -> None:
    log = fake_pythons(tmp_path / "bin", "3.12.1", old=False)
    (elsewhere / "tests").mkdir()
    done = subprocess.run(
        [elsewhere / "dev", "test", "tests", "-k", "two words"],
        cwd=elsewhere,
        env={"PATH": f"{tmp_path}/bin:/usr/sbin:/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    said = [line for line in log.read_text().splitlines() if line.startswith("-m") and "pip" not in line]
    assert said[1:4] == ["-m ruff check .", "-m ruff format --check .", "-m mypy"], done.stderr
    assert said[4] == f"{PYTEST} {elsewhere}/tests -k two words"


def on(elsewhere: Path, tmp_path: Path, *words: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    log = tmp_path / "asked.log"
    if not log.exists():
        fake_pythons(tmp_path / "bin", "3.12.1", old=False)
    log.write_text("")
    done = subprocess.run(
        [elsewhere / "dev", "test", "--on", *words],
        cwd=elsewhere,
        env={"PATH": f"{tmp_path}/bin:/usr/sbin:/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done, [line for line in log.read_text().splitlines() if line.startswith("-m") and "pip" not in line]


def test_on_a_system_runs_what_needs_a_booted_machine(elsewhere: Path, tmp_path: Path) -> None:
    done, said = on(elsewhere, tmp_path, "debian-13")
    assert done.returncode == 0, done.stderr
    root, tests = said[-2:]
    assert root == "-m tests.hosts root debian-13"
    assert tests.startswith(f"{PYTEST} tests/booted ")
    for path in tests.removeprefix(f"{PYTEST} ").split():
        assert (CHECKOUT / path).exists(), path
    done, said = on(elsewhere, tmp_path, "debian-13", "-k", "reboot")
    assert said[-1] == f"{tests} -k reboot"
    (elsewhere / "tests").mkdir()
    done, said = on(elsewhere, tmp_path, "debian-13", "tests")
    assert said[-1] == f"{PYTEST} {elsewhere}/tests"


def test_on_all_goes_through_them_and_says_where_it_is_not_well(elsewhere: Path, tmp_path: Path) -> None:
    done, said = on(elsewhere, tmp_path, "all")
    assert done.returncode == 0, done.stderr
    assert [line.split()[-1] for line in said if " root " in line] == ["debian-12", "debian-13", "ubuntu-24.04"]
    # A root that cannot be made: the others are tried, and the whole has failed.
    python = elsewhere / ".venv/bin/python"
    python.write_text(
        python.read_text().replace('case "$1 $2" in', 'case "$*" in *"root debian-13") exit 69;; esac\ncase "$1 $2" in')
    )
    done, said = on(elsewhere, tmp_path, "all")
    assert done.returncode == 1
    assert done.stderr.endswith("dev: failed on: debian-13 (no root)\n")
    assert sum("pytest" in line for line in said) == 2


def test_on_an_unknown_system_names_the_known(elsewhere: Path, tmp_path: Path) -> None:
    done, said = on(elsewhere, tmp_path, "debian-31")
    assert (done.returncode, said) == (1, [])
    assert done.stderr == "dev: --on takes one of: debian-12 debian-13 ubuntu-24.04 all\n"


def test_fast_leaves_lint_and_hosts_alone(elsewhere: Path, tmp_path: Path) -> None:
    log = fake_pythons(tmp_path / "bin", "3.12.1", old=False)
    assert dev(elsewhere, tmp_path, "test", "--fast", "-k", "words").returncode == 0
    said = [line for line in log.read_text().splitlines() if line.startswith("-m pytest") or "ruff" in line]
    assert said == ["-m pytest -q -n auto --dist worksteal --fast --durations=25 --durations-min=1 -k words"]


def test_ci_begins_at_the_front_door(elsewhere: Path, tmp_path: Path) -> None:
    """From a clone of what is committed, in an environment of its own; whatever fails ends it."""
    log = fake_pythons(tmp_path / "bin", "3.12.1", old=False)
    (elsewhere / ".ci").mkdir()
    shutil.copy2(CHECKOUT / ".ci/run", elsewhere / ".ci/run")
    for words in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", *words], cwd=elsewhere, check=True)
    env = {"PATH": f"{tmp_path}/bin:/usr/sbin:/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}

    def said() -> list[str]:
        log.write_text("")
        ended = subprocess.run([elsewhere / ".ci/run"], cwd="/", env=env, capture_output=True, text=True, check=False)
        lines = [" ".join(line.split()[:3]) for line in log.read_text().splitlines() if line.startswith("-m")]
        return [*(line for line in lines if "pip" not in line and "venv" not in line), str(ended.returncode)]

    lint = ["-m ruff check", "-m ruff format", "-m mypy"]
    assert said() == ["-m tests.demo", *lint, "-m pytest -n", "-m tests.hosts root", "-m pytest -n", "0"]
    assert not list(tmp_path.glob("tmp.*"))
    python = elsewhere / ".venv/bin/python"
    python.write_text(
        python.read_text().replace('case "$1 $2" in', 'case "$*" in *mypy) exit 1;; esac\ncase "$1 $2" in')
    )
    assert said() == ["-m tests.demo", *lint, "1"]


def test_shellcheck_is_content() -> None:
    subprocess.run(["shellcheck", CHECKOUT / "dev", CHECKOUT / ".ci/run"], check=True)
