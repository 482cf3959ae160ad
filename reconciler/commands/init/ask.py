"""The questions of `mosaic fleet init`, each with the default that is taken if nobody can answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import click

from specs.dataclass import dataclass
from specs.scaffold.presets import PRESETS, Preset

KEEP = "keep"
STUB = "stub"


@dataclass(frozen=True, slots=True)
class Asker:
    """`there`: somebody sits at a terminal. Every question has a default, which is the answer otherwise."""

    there: bool

    def text(self, question: str, default: str, fault: Callable[[str], str | None] = lambda _text: None) -> str:
        """`fault` says what is wrong with an answer, as the end of a sentence; it is asked again then."""
        if not self.there:
            return default

        def checked(answer: str) -> str:
            message = fault(answer.strip())
            if message:
                raise click.BadParameter(f'"{answer}" {message}')
            return answer.strip()

        answer: str = click.prompt(f"{question}\n ", default=default, value_proc=checked, err=True)
        return answer

    def one_of(self, question: str, words: Mapping[str, str], default: str) -> str:
        """`words` are the answers, each with what it means."""
        if not self.there:
            return default
        wide = max(map(len, words))
        for word, about in words.items():
            click.echo(f"    {word:{wide}}  {about}".rstrip(), err=True)

        def known(answer: str) -> str | None:
            return None if answer in words else f"is none of {', '.join(words)}"

        return self.text(question, default, known)

    def yes(self, question: str, default: bool) -> bool:
        return click.confirm(question, default=default, err=True) if self.there else default


def best_preset(found: Mapping[str, str]) -> str:
    """The one to propose: with any real program on the machine there is something to do."""
    return "general" if found else "local-canary"


def ask_preset(asker: Asker, default: str, *, keep: bool) -> str:
    """`keep`: there is a fleet, and it may stay as it is."""
    words = {name: preset.about for name, preset in PRESETS.items()}
    words = {KEEP: "the agents that are there", **words} if keep else words
    return asker.one_of("Which fleet?", words, default)


def ask_names(asker: Asker, preset: Preset, given: str | None) -> dict[str, str]:
    """The names of the agents by those of the preset. Raises click.UsageError for names that cannot be."""
    own = [slot.name for slot in preset.slots]

    def fault(answer: str) -> str | None:
        from specs.values.names import name_fault

        names = split(answer)
        if len(names) != len(own):
            return f"has {len(names)} names; the {preset.name} fleet has {len(own)} agents"
        if len(set(names)) < len(names):
            return "has a name twice"
        return next((f"has a name that {bad}" for name in names if (bad := name_fault(name))), None)

    if given is None:
        given = asker.text("Names of the agents, in this order?", ", ".join(own), fault)
    wrong = fault(given)
    if wrong:
        raise click.UsageError(f"--agents {wrong}")
    return dict(zip(own, split(given), strict=True))


def split(names: str) -> list[str]:
    return [name for name in re.split(r"[,\s]+", names) if name]


def choose_runtimes(
    asker: Asker, preset: Preset, names: Mapping[str, str], given: Sequence[str], found: Mapping[str, str]
) -> dict[str, str]:
    """The program of each agent, by the preset's names: what was said, else the preset's own if it is on this machine,
    else the first that is. Raises click.UsageError."""
    everybody, single = by_agent(given)
    unknown = single.keys() - set(names.values())
    if unknown:
        raise click.UsageError(f'--runtime: no agent is called "{min(unknown)}"; there are {", ".join(names.values())}')
    words = {name: found[name] for name in found} | {STUB: "costs nothing, echoes what it is sent"}
    chosen = {}
    for slot in preset.slots:
        name = names[slot.name]
        said = single.get(name) or everybody
        fallback = slot.runtime if slot.runtime in words else next(iter(words))
        if said is None and slot.runtime != STUB and len(words) > 1:
            said = asker.one_of(f"Which program is {name} ({slot.agent_class})?", words, fallback)
        chosen[slot.name] = said or fallback
    return chosen


def by_agent(given: Sequence[str]) -> tuple[str | None, dict[str, str]]:
    """`RUNTIME` for everybody, and `AGENT=RUNTIME` for one."""
    everybody = None
    single = {}
    for one in given:
        name, equals, runtime = one.rpartition("=")
        if equals:
            single[name] = runtime
        else:
            everybody = runtime
    return everybody, single
