"""The PATH on which doctor looks for programs is the one that agent-pane makes: both are asked."""

from __future__ import annotations

import os
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from providers.processes.program_path import search_path

PANE = str(files("providers.framework_files") / "agent-pane")


def path_of_a_pane(tmp_path: Path, environ: dict[str, str], configured: list[str], bin_dir: Path) -> str:
    """Run agent-pane itself, with a program that prints what it was given."""
    run = tmp_path / "run"
    paper = run / "mosaic/launch/x:1"
    paper.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"env MOSAIC_AGENT_WORKDIR={tmp_path}",
        "env MOSAIC_AGENT_NAME=x",
        f"env MOSAIC_HOME={bin_dir.parent.parent}",
    ]
    lines += [f"path {folder}" for folder in configured] + ["arg /bin/sh", "arg -c", 'arg printf %s "$PATH"', "end "]
    paper.write_text("\n".join(lines) + "\n")
    program = bin_dir / "agent-pane"
    program.write_text(Path(PANE).read_text())
    done = subprocess.run(
        ["/bin/sh", str(program), "x", "1"],
        env={**environ, "XDG_RUNTIME_DIR": str(run)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


@pytest.mark.parametrize(
    "npmrc",
    [
        None,
        "prefix=/usr\n",
        "prefix=${HOME}/npm\n",
        "prefix = ~/npm\n",
        'prefix="${HOME}/npm"\n',
        "registry=https://example.invalid\n\tprefix\t=\t~/npm",
        "prefix=relative\n",
    ],
)
@pytest.mark.parametrize("folders", [(), (".npm-global/bin", ".local/bin", "npm/bin", "other/bin")])
def test_they_agree(tmp_path: Path, npmrc: str | None, folders: tuple[str, ...]) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for folder in folders:
        (home / folder).mkdir(parents=True)
    if npmrc is not None:
        (home / ".npmrc").write_text(npmrc)
    node = tmp_path / "versions/bin"
    node.mkdir(parents=True)
    (node / "node").write_text("#!/bin/sh\n")
    (node / "node").chmod(0o755)
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "node").symlink_to(node / "node")
    bin_dir = tmp_path / "mosaic/fleet/bin"
    bin_dir.mkdir(parents=True)
    environ = {
        "HOME": str(home),
        "PATH": f"{linked}:{home}/.local/bin:/usr/bin:/bin",
        "NPM_CONFIG_PREFIX": f"{home}/other",
    }
    configured = [str(home / ".npm-global/bin"), "/nowhere"]
    wanted = path_of_a_pane(tmp_path, environ, configured, bin_dir)
    assert search_path(environ, configured, str(bin_dir)) == wanted
    assert os.fspath(node) in wanted
