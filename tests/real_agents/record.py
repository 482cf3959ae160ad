"""`./dev record PROGRAM [VERSION]`: record what a program shows, as fixtures beside what it is read as.

`./dev record --again [PROGRAM]` reads the recorded screens anew, after a change of the readers, and prints what
differs.
"""

from __future__ import annotations

import sys
from importlib import import_module

from providers.programs.registry import READERS, program
from tests.programs.captures import document, frames
from tests.real_agents.packages import InstallError
from tests.real_agents.recording import keep, pinned, record

USAGE = "usage: ./dev record PROGRAM [VERSION] | --again [PROGRAM]"


def main(words: list[str]) -> int:
    """0: all that was to be recorded is; 1: a scene did not come about, or a version cannot be had."""
    if words[:1] == ["--again"] and len(words) <= 2 and set(words[1:]) <= READERS:
        return again(words[1] if len(words) == 2 else "*")
    if not words or words[0] not in READERS or len(words) > 2:
        print(f"{USAGE}\nprograms: {', '.join(sorted(READERS))}", file=sys.stderr)
        return 2
    name = words[0]
    version = words[1] if len(words) == 2 else pinned(name)
    try:
        stage = record(name, version, import_module(f"tests.real_agents.scenes_{name}").SCENES)
    except InstallError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for frame in keep(stage, version):
        print(f"{frame}: {_short(document(frame.reading))}")
    for failed in stage.failed:
        print(f"not recorded: {failed}", file=sys.stderr)
    print("look at each reading: what is wrong there is mended in providers/programs/screens/*_words.py")
    return 1 if stage.failed else 0


def again(name: str) -> int:
    """Write the readings of all recorded screens anew; 1 if one differs with and without its version."""
    wrong = 0
    for frame in frames(name):
        read = program(frame.program).read
        found = read(frame.screen, frame.version)
        if found != frame.reading:
            print(f"{frame}: {_short(document(found))}, was {_short(document(frame.reading))}")
            frame.write(frame.screen, found)
        if read(frame.screen) != found:
            wrong = 1
            print(f"{frame}: without its version it is read as {_short(document(read(frame.screen)))}", file=sys.stderr)
    return wrong


def _short(found: dict[str, object]) -> str:
    return ", ".join(f"{key}={value!r}"[:100] for key, value in found.items() if key not in ("question", "why"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
