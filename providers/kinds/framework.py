"""The files that all agents share: unit files, launch programs, and the holder's settings."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from providers import framework_files
from providers.base import Health, Kind, ObserveError, Present, Resource, ResourceKey, Verb, unclear
from providers.evidence import FileEvidence
from providers.fields import CONTENT, MODE, ODD
from providers.launch import environment
from providers.launch.conversation_choice import pane_text
from providers.material import FileMaterial, digest, writing
from providers.names import HOLDER_UNIT, RESPONDER_UNIT

if TYPE_CHECKING:
    from providers.base import Action
    from providers.host import FileState, HostFacts, Look
    from providers.steps import Step
    from specs.compiled import Fleet

# Neither the current folder nor a PYTHON* variable may replace our modules.
RESPONDER = ("-E", "-P", "-m", "reconciler.respond")  # hosts have this name in their unit files: it stays
Install = Literal["none", "timer", "watch"]

MARK = "# Managed by Mosaic Fleet"
PROGRAMS = ("agent-hook", "agent-pane", "agent-scope", "agent-start", "agent-stop", "mosaic", "tmux-holder")
UNITS = (HOLDER_UNIT, "mosaic-agent@.service", RESPONDER_UNIT)
RECONCILER_UNITS: Mapping[Install, tuple[str, ...]] = {
    "none": (),
    "timer": ("mosaic-reconcile-failed.target", "mosaic-reconcile.service", "mosaic-reconcile.timer"),
    "watch": ("mosaic-reconcile-failed.target", "mosaic-reconcile-watch.service"),
}


class FrameworkProvider:
    """One resource for each file, named by its path.

    `install` says how the reconciler itself is started on this host; with "none", its existing units are left alone,
    since somebody else put them there. `command` is what those units run; it begins with a program's absolute path.
    """

    kind = Kind.FRAMEWORK

    def __init__(self, install: Install = "none", command: tuple[str, ...] = ()) -> None:
        if install != "none" and not command:
            raise ValueError("the units of the reconciler need a command")
        self._install = install
        self._command = command

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        files = [
            *((f"{facts.bin_dir}/{name}", _program(name, facts), 0o755) for name in PROGRAMS),
            *(
                (f"{facts.unit_dir}/{name}", self._unit(name, fleet, facts), 0o644)
                for name in UNITS + RECONCILER_UNITS[self._install]
            ),
            (environment.holder_path(facts), environment.render_holder(fleet), 0o644),
        ]
        return tuple(
            Resource(
                key=ResourceKey(Kind.FRAMEWORK, path),
                agent=None,
                fields={CONTENT: digest(content), MODE: f"{mode:04o}"},
                material=FileMaterial(path=path, content=content, mode=mode),
            )
            for path, content, mode in sorted(files)
        )

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        desired = {resource.key: resource for resource in self.desired(fleet, facts)}
        keys = set(desired)
        if self._install != "none":
            names = {name for units in RECONCILER_UNITS.values() for name in units}
            keys |= {ResourceKey(Kind.FRAMEWORK, f"{facts.unit_dir}/{name}") for name in names}
        seen = {}
        for key in sorted(keys):
            try:
                file = look.file(key.name)
            except ObserveError as error:
                seen[key] = unclear(key, None, str(error))
                continue
            if file is not None:
                seen[key] = _present(key, file, desired.get(key), fleet.name)
        return seen

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        from providers.steps import DaemonReload, DeleteFile

        del facts  # the path is the name of the resource
        if action.verb is Verb.RELOAD:
            return (DaemonReload(),)
        if action.verb is Verb.DELETE:
            return (DeleteFile(path=action.key.name),)
        return (writing(action),)

    def health(self, seen: Present) -> Health:
        return Health.HEALTHY if seen.ours else Health.UNKNOWN

    def _unit(self, name: str, fleet: Fleet, facts: HostFacts) -> str:
        interval = fleet.policy.interval
        values = {f"@{program}@": unit_word(f"{facts.bin_dir}/{program}") for program in PROGRAMS}
        values["@COMMAND@"] = " ".join(unit_word(word) for word in self._command)
        values["@RESPONDER@"] = " ".join(unit_word(word) for word in responder_command(facts))
        values["@DEFINITION@"] = digest(framework_files.text(name) + values["@RESPONDER@"])
        values["@INTERVAL@"] = _seconds(interval)
        values["@JITTER@"] = _seconds(min(5.0, interval / 20))
        text = framework_files.text(name)
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        return text


def responder_command(facts: HostFacts) -> tuple[str, ...]:
    """What the responder's unit runs; the arguments are the launch environments' folder and the unit's file."""
    return (facts.interpreter, *RESPONDER, f"{facts.mosaic_home}/fleet", f"{facts.unit_dir}/{RESPONDER_UNIT}")


def _program(name: str, facts: HostFacts) -> str:
    text = pane_text() if name == "agent-pane" else framework_files.text(name)
    return text.replace("@PYTHON@", shlex.quote(facts.interpreter))


def unit_word(word: str) -> str:
    """One word of a unit's command line, quoted so that systemd neither expands nor splits it."""
    word = word.replace("%", "%%").replace("$", "$$")
    if word and all(character.isalnum() or character in "/_-+.,:@%$=~" for character in word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _seconds(value: float) -> str:
    return f"{round(value)}s" if value == round(value) else f"{round(value * 1000)}ms"


def _present(key: ResourceKey, file: FileState, desired: Resource | None, fleet: str) -> Present:
    if file.odd is not None:
        odd = FileEvidence(odd=file.odd)
        return Present(key=key, agent=None, ours=False, fields={ODD: file.odd}, evidence=odd)
    wanted = FileMaterial.of(desired)
    head = file.content[:400].split("\n")[:2]
    ours = (
        any(line.startswith(MARK) for line in head)
        or environment.generated_for(file.content) == fleet
        or (wanted is not None and file.content == wanted.content)
        or environment.left_by_a_crash(file.content, wanted.content if wanted is not None else "")
    )
    return Present(key=key, agent=None, ours=ours, fields={CONTENT: digest(file.content), MODE: f"{file.mode:04o}"})
