"""Desired state: read a commit's files and list the things that should be on this host. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Resource
from providers.host import HostFacts
from providers.kinds.registry import Registry
from specs import library
from specs.compiled import Fleet
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from specs.values.problems import Problem

FORMAT = 9  # version of the compiled fleet; raised when the same files would compile to something else


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A commit, read. `fleet` is None if the commit was rejected; `problems` lists every problem, warnings included."""

    fleet: Fleet | None
    problems: tuple[Problem, ...]


def desired(fleet: Fleet, registry: Registry, facts: HostFacts) -> tuple[Resource, ...]:
    """Every thing that should be on the host, from each provider."""
    return tuple(resource for provider in registry.values() for resource in provider.desired(fleet, facts))


def compile_files(
    files: Mapping[str, bytes], *, revision: str, host: str, facts: HostFacts, path: tuple[str, ...]
) -> Compiled:
    """Read and check the files of a fleet. `path`: folders that this host's settings put before PATH. Never raises."""
    from specs.loading.compile import compile_fleet
    from specs.loading.load import load

    loaded = load(files)
    if loaded.errors_fatal:
        return Compiled(fleet=None, problems=loaded.problems)
    fleet = compile_fleet(
        loaded,
        host=host,
        revision=revision,
        tenant_id=facts.user,
        home=facts.home,
        python=facts.python,
        stub_program=facts.stub_program,
    )
    if path:
        agents = tuple(replace(agent, path=(*path, *agent.path)) for agent in fleet.agents)
        fleet = replace(fleet, agents=agents)
    return Compiled(fleet=fleet, problems=loaded.problems)


def inputs_digest(facts: HostFacts, path: tuple[str, ...]) -> str:
    """Digest of everything besides the commit that the compiled fleet depends on, including the shipped contracts."""
    contracts = library.digest("personas", ".md")
    parts = [FORMAT, contracts, facts.user, facts.home, facts.python, facts.stub_program, list(path)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
