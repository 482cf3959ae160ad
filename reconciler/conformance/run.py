"""Run every requested runtime, one after the other: two at once would measure the machine instead."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from providers.machine.facts import gather
from providers.processes.program_path import search_path
from reconciler.conformance.fake_api import FakeApi
from reconciler.conformance.model import ContractReport, Trial
from reconciler.conformance.stage import Stage
from reconciler.conformance.states import StatesTried
from reconciler.context.settings import read_settings, settings_path
from reconciler.doctor.check import Unseen
from reconciler.doctor.probes.host import whereabouts
from reconciler.doctor.probes.runtimes import ask_version
from reconciler.errors import Unavailable, Usage
from specs.models.runtimes import KNOWN


def contract(runtimes: Sequence[str], progress: Callable[[str], None]) -> ContractReport:
    """Try the programs of these runtimes, or of all that are known. Changes nothing but a temporary folder.

    Raises Usage for a runtime that is not known, Unavailable without tmux or without a place for the folder.
    """
    environ = dict(os.environ)
    facts = gather(environ)
    names = _chosen(runtimes)
    if not whereabouts("tmux", environ):
        raise Unavailable("tmux is not on PATH, and every program is tried in a pane", help="sudo apt install tmux")
    settings = read_settings(settings_path(facts.config_home))
    search = search_path(environ, settings.path, facts.bin_dir)
    trials = []
    for name in names:
        program = facts.python if name == "stub" else KNOWN[name].command[0]
        path = whereabouts(program, {"PATH": search})
        progress(f"{name}: {'trying' if path else 'not installed'}")
        trials.append(_trial(name, path, search, wanted=name in runtimes))
    return ContractReport(
        tenant_id=facts.user, host=settings.host or facts.hostname, at=time.time(), trials=tuple(trials)
    )


def _chosen(runtimes: Sequence[str]) -> tuple[str, ...]:
    for name in runtimes:
        if name not in KNOWN:
            from difflib import get_close_matches

            near = get_close_matches(name, list(KNOWN), n=1)
            known = ", ".join(KNOWN)
            raise Usage(
                f'no runtime is called "{name}" here', help=f'did you mean "{near[0]}"?' if near else f"known: {known}"
            )
    return tuple(dict.fromkeys(runtimes)) or tuple(KNOWN)


def _trial(name: str, path: str, search: str, *, wanted: bool) -> Trial:
    if not path:
        return Trial(runtime=name, path="", version="", wanted=wanted)
    began = time.monotonic()
    try:
        with FakeApi() as api, Stage(name, search) as stage:
            version = "shipped" if name == "stub" else ask_version(path, stage.environ)
            proofs = StatesTried(stage, api).proofs()
    except OSError as error:
        raise Unavailable(f"no program can be tried: {error.strerror}", help="mosaic doctor") from error
    said = f"unknown ({version.why})" if isinstance(version, Unseen) else version
    return Trial(runtime=name, path=path, version=said, wanted=wanted, proofs=proofs, seconds=time.monotonic() - began)
