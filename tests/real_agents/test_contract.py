"""`mosaic doctor --contract` with the real programs: what it proves is so, and nothing of it stays."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.conformance.model import PROOFS
from reconciler.schemas.registry import schema_of
from tests.hosts.fixtures import RealHosts
from tests.hosts.namespace import CHECKOUT
from tests.real_agents.offline import EmptyNetwork, OfflineHost
from tests.real_agents.packages import PACKAGES, pins

EACH = ("claude", "codex", "pi", "opencode", "stub")
COMMAND = [sys.executable, "-c", "from reconciler.commands.mosaic import main; main()", "doctor", "--contract"]


@pytest.fixture(scope="module")
def report(real_hosts: RealHosts, network: EmptyNetwork, programs: Path) -> Iterator[dict[str, Any]]:
    """One run for all that is asked below."""
    with real_hosts(lambda: OfflineHost(network, share=[programs])) as host:
        environ = {"PYTHONPATH": str(CHECKOUT), "PATH": f"{programs / 'bin'}:{host.env['PATH']}"}
        done = host.run([*COMMAND, *EACH, "-o", "json"], env=environ, check=False, timeout=900)
        assert done.stdout, done.stderr
        found = json.loads(done.stdout)
        found["exit"] = done.returncode
        found["left"] = [path.name for path in host.path_outside("/tmp").glob("mosaic-contract-*")]
        yield found


@pytest.mark.parametrize("runtime", EACH)
def test_each_proves_everything(report: dict[str, Any], runtime: str) -> None:
    [trial] = [one for one in report["runtimes"] if one["runtime"] == runtime]
    unproved = [proof for proof in trial["proofs"] if proof["outcome"] != "pass"]
    assert unproved == []
    assert [proof["name"] for proof in trial["proofs"]] == list(PROOFS)


def test_the_version_is_that_of_the_program(report: dict[str, Any]) -> None:
    said = {one["runtime"]: one["version"] for one in report["runtimes"]}
    assert {name: pins()[package] in said[name] for name, package in PACKAGES.items()} == dict.fromkeys(
        PACKAGES, True
    ), said


def test_the_document_and_what_is_left(report: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema_of("contract")).validate(report)
    assert report["exit"] == (0 if report["passed"] else 3)
    assert report["left"] == []
