"""Play scenes with a real program, and record what it shows.

They are played in an empty network against the fake API, each from an empty home.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from providers.programs.registry import program as known_program
from providers.screen import Screen
from tests.hosts.errors import HostCommandError
from tests.hosts.waiting import eventually
from tests.programs.captures import Frame
from tests.real_agents import homes
from tests.real_agents.api import FakeApi
from tests.real_agents.offline import EmptyNetwork, OfflineHost
from tests.real_agents.packages import PACKAGES, installed, pins
from tests.real_agents.studio import Pane, Studio

HOME = Path("/tmp/ada")  # of a private host; short enough for narrow screens
PROJECT = HOME / "project"
SMALL, LARGE = (80, 24), (200, 50)


@dataclass(kw_only=True)
class Stage:
    """Where the scenes of one program are played. `taken` are the screens so far, by name and width."""

    program: str
    studio: Studio
    taken: dict[str, Screen] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def api(self) -> FakeApi:
        return self.studio.api

    def home(self, more: Mapping[str, str | None] | None = None) -> None:
        """An empty home with what the program needs to start without a question; `more` below it, None to remove."""
        self.api.forget()
        remove = ["rm", "-rf", str(HOME)]  # into which the last program may still write
        eventually(
            lambda: self.studio.host.run(remove, check=False).returncode == 0,
            timeout=60,
            every=0.5,
            what="an empty home",
        )
        files = homes.files(HOME, PROJECT, self.studio.prefix, self.api.url)
        for path, text in {**files, **{HOME / name: text for name, text in (more or {}).items()}}.items():
            if text is not None:
                self.studio.write(path, text)
        self.studio.host.path_outside(PROJECT).mkdir(parents=True, exist_ok=True)
        for name, text in (more or {}).items():
            if text is None:
                self.studio.host.run(["rm", "-rf", str(HOME / name)])

    @contextmanager
    def start(
        self, *argv: str, env: Mapping[str, str], size: tuple[int, int] = SMALL, prefix: Path | None = None
    ) -> Iterator[Scene]:
        studio = replace(self.studio, prefix=prefix or self.studio.prefix)
        pane = studio.open(self.program, self.program, argv, home=HOME, folder=PROJECT, env=env, size=size)
        try:
            yield Scene(stage=self, pane=pane)
        finally:
            pane.close()

    def play(self, scene: Callable[[Stage], None]) -> None:
        """Play a scene; one that does not come about is noted, and the others go on."""
        try:
            scene(self)
        except (AssertionError, HostCommandError) as error:
            self.failed.append(f"{scene.__name__.strip('_')}: {error}")


@dataclass(kw_only=True)
class Scene:
    """A program that runs on the stage."""

    stage: Stage
    pane: Pane

    def take(self, name: str, shows: str = "") -> None:
        """Keep the screen, once these words are on it and it has come to rest (or after a while: some never do)."""
        seen = [self.pane.shows(shows) if shows else self.pane.screen()]

        def still() -> bool:
            seen.append(self.pane.screen())
            return seen[-1] == seen[-2] or len(seen) > 8

        self.pane.until(lambda _: still(), f"{name}, at rest", every=0.4)
        self.stage.taken[f"{name}.{seen[-1].width}"] = sanitised(seen[-1], self.stage.studio)

    def ready(self) -> None:
        self.pane.until(
            lambda _: (reading := self.pane.reading()).composer == "empty" and not reading.asks, "an empty composer"
        )

    def type(self, text: str) -> None:
        self.pane.type(text)
        self.pane.until(lambda seen: any(text.strip() in line for line in seen.lines), f"{text!r}")

    def paste(self, text: str) -> None:
        before = self.pane.screen().lines
        self.pane.paste(text)
        self.pane.until(lambda seen: seen.lines != before, "what was pasted")
        self.pane.until(lambda seen: self.pane.screen().lines == seen.lines, "what was pasted, at rest", every=0.5)

    def say(self, text: str) -> None:
        self.paste(text)
        self.pane.keys("Enter")

    def keys(self, *keys: str) -> None:
        self.pane.keys(*keys)

    def covered(self, what: str) -> None:
        """Wait until something has the place of the composer."""
        self.pane.until(lambda _: self.pane.reading().composer == "hidden", what)

    def leave(self) -> None:
        """Press Escape until the composer is there again."""

        def left() -> bool:
            reading = self.pane.reading()
            if reading.composer == "hidden":
                self.keys("Escape")
            return reading.composer != "hidden"

        self.pane.until(lambda _: left(), "its end", every=1.0)

    def menu(self, command: str) -> None:
        """Keep the menu that a command opens, and leave it."""
        self.type(f"/{command}")
        self.keys("Enter")
        self.covered(command)
        self.take(f"menu-{command}")
        self.leave()
        self.ready()


def sanitised(seen: Screen, studio: Studio) -> Screen:
    """Without what is of this machine: the folder of the programs, and the port of the API."""
    port = studio.api.url.rpartition(":")[2]

    def clean(line: str) -> str:
        line = line.replace(str(studio.prefix), "/opt/agents")
        return re.sub(rf"\b{port}\b", "8" * len(port), line)

    return replace(seen, lines=tuple(map(clean, seen.lines)), styled=tuple(map(clean, seen.styled)))


def record(program: str, version: str, scenes: Sequence[Callable[[Stage], None]]) -> Stage:
    """Play the scenes with this version. Raises InstallError, and HostUnavailable without a private host."""
    prefix = installed(pins(f"{program}={version}"))
    with (
        closing(EmptyNetwork()) as network,
        OfflineHost(network, share=[prefix.parent]) as host,
        closing(FakeApi(network)) as api,
    ):
        stage = Stage(program=program, studio=Studio(host=host, api=api, prefix=prefix))
        for scene in scenes:
            stage.play(scene)
        return stage


def keep(stage: Stage, version: str) -> list[Frame]:
    """Write what was taken to its folder, in place of what is there, with what it is read as."""
    read = known_program(stage.program).read
    made = []
    for name, seen in stage.taken.items():
        frame = Frame(program=stage.program, version=version, name=name)
        frame.write(seen, read(seen, version))
        made.append(frame)
    return made


def pinned(program: str) -> str:
    return pins("")[PACKAGES[program]]
