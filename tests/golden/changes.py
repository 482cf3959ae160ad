"""What the commands say that change a fleet by a commit, and those that read its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from reconciler.render.fleet_files.persona_text import list_text
from specs.organisation.classes import KnownClass
from tests.commands.calling import fleet
from tests.golden.book import Text
from tests.golden.files import folder, shown

Calls = Mapping[str, Sequence[str]]  # the situation, and what is typed after `mosaic fleet`; one after the other


def said(calls: Calls) -> Callable[[], Iterator[Text]]:
    """In a fleet that has just been begun with one agent for each role, all of them stubs."""

    def texts() -> Iterator[Text]:
        with folder() as home:
            place = str(home / "fleet")
            fleet("init", place, "--preset", "local-canary")
            for situation, words in calls.items():
                text = shown(fleet(*words, "--fleet", place), home)
                if not situation.startswith("("):  # what only prepares the next one
                    yield Text(situation, text)

    return texts


NEW = ("add", "coder1", "--runtime", "stub", "--class", "implementer")
add = said({
    "--dry-run": (*NEW, "--dry-run"),
    "one more": NEW,
    "it is there already": NEW,
    "an unknown runtime": ("add", "coder2", "--runtime", "cluade", "--class", "implementer"),
    "a second orchestrator": ("add", "coder2", "--runtime", "stub", "--class", "orchestrator"),
    "a name with a slash": ("add", "x/y", "--runtime", "stub"),
    "a relative folder": ("add", "coder2", "--runtime", "stub", "--working-directory", "work"),
    "an option is missing": ("add", "coder2"),
    "without a start": ("add", "coder3", *NEW[2:], "--state", "stopped"),
    "an unknown class": ("add", "coder2", "--runtime", "stub", "--class", "implementor", "--dry-run"),
})  # fmt: skip
remove = said({
    "--dry-run": ("remove", "coder0", "--dry-run"),
    "one of a pair that has to stay": ("remove", "lead"),
    "nobody of that name": ("remove", "corder0"),
    "with a tombstone": ("remove", "coder0", "--tombstone"),
})  # fmt: skip
stop = said({
    "one": ("stop", "coder0"),
    "again": ("stop", "coder0"),
    "without a commit": ("stop", "reviewer0", "--no-commit"),
    "and with one": ("stop", "enhancer"),
    "a push without a commit": ("stop", "coder0", "--no-commit", "--push"),
    "an empty message": ("stop", "coder0", "-m", " "),
    "the only orchestrator": ("stop", "lead", "--dry-run"),
})  # fmt: skip
start = said({"it runs already": ("start", "coder0")})
restart = said({"one": ("restart", "coder0"), "nobody of that name": ("restart", "nobody")})
suspend = said({
    "for an hour": ("suspend", "coder0", "--reason", "I pair with it", "--dry-run"),
    "everybody": ("suspend", "--all", "--reason", "a move", "--dry-run"),
})  # fmt: skip
unsuspend = said({"nobody is": ("unsuspend", "coder0")})
diff = said({"there is none of one's own": ("persona", "diff", "code")})


TYPE = ("provision", "--type", "research")
provision = said({
    "no type": ("provision",),
    "nearly a type": ("provision", "--type", "reserch"),
    "no such type": ("provision", "--type", "x"),
    "a runtime for no class": (*TYPE, "--runtime", "pi"),
    "a class twice": (*TYPE, "--runtime", "review=pi", "--runtime", "review=stub"),
    "a class without a seat": (*TYPE, "--runtime", "cto=pi"),
    "another name": (*TYPE, "--name", "other"),
    "(filled)": (*TYPE, "--default-runtime", "stub"),
    "every seat is filled": (*TYPE, "--default-runtime", "stub"),
    "another type": ("provision", "--type", "business"),
})  # fmt: skip
show = said({
    "nearly a class": ("persona", "show", "reviw"),
    "no class": ("persona", "show", "../x"),
})  # fmt: skip
accept = said({"there is none of one's own": ("persona", "accept", "code")})


def customise() -> Iterator[Text]:
    """Not what it writes the first time: that is the shipped contract."""
    words = ("persona", "customise", "code")
    calls = {
        "nearly a class": (*words[:2], "cod"),
        "no such section": (*words, "--section", "Bounds"),
        "(begun)": words,
        "it is there": words,
    }
    yield from said(calls)()


def personas() -> Iterator[Text]:
    of_ones_own = KnownClass(
        name="baker", source="own", persona=None, outdated=False, aliases=(), agents=("a", "b"),
    )  # fmt: skip
    wrong = KnownClass(name="code", source="invalid", persona=None, outdated=True, aliases=("coder",), agents=())
    yield Text("one's own, a wrong one, one without", list_text([of_ones_own, wrong], {"tester": ("c",)}))
    yield Text("nothing is like that", list_text([], {}))
