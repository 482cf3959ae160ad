"""`./dev transcript`: play the demo, and put what it says into the README and the page of the first fleet.

Nothing is written by hand but which commands are shown, and which of their lines; `[...]` stands for what is left out.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence

from tests.hosts.namespace import CHECKOUT

CUT = "[...]"
WIDTH = 150
# How much is kept of what a command says: so many lines from one that begins like this on. None keeps all.
Kept = Sequence[tuple[str, int]]
# Commands of the demo in their order; what is not named is left out.
Story = tuple[tuple[str, Kept | None], ...]
WHOLE: Story = (
    ("git commit -a -m 'Declare the fleet'", None),
    ("reconcile --dry-run fleet", None),
    ("reconcile fleet", None),
    ("reconcile fleet", None),
    ("mosaic fleet ps", None),
    ("mosaic agent send coder0", None),
    ("mosaic agent tail coder0", None),
    ("kill -9", None),
    ("reconcile --dry-run fleet", None),
    ("reconcile fleet", None),
    ("git commit -a -m 'Stop the reviewer'", None),
    ("reconcile fleet", None),
)
SHORT: Story = (
    ("mosaic fleet ps", None),
    ("git commit -a -m 'Stop the reviewer'", None),
    ("reconcile fleet", (("held reviewer0", 2), ("Changes are held", 1))),
)
# Each page with the heading above its transcript, and what the transcript tells.
PAGES: tuple[tuple[str, str, Story], ...] = (
    ("README.md", "What you see", SHORT),
    ("docs/first-fleet.md", "The whole story", WHOLE),
)
APART = ("git", "mosaic fleet", "kill")  # commands with an empty line before them


def transcript(said: str, story: Story) -> str:
    """The block of a page. Raises ValueError where the demo told another story."""
    blocks = _blocks(said)
    out: list[str] = []
    for command, kept in story:
        line, text = next(((line, text) for line, text in blocks if line.startswith(f"$ {command}")), ("", []))
        if not line:
            raise ValueError(f"the demo does not run `{command}`, or not in this order")
        if out and command.startswith(APART):
            out.append("")
        out += [line, *(_fitted(one) for one in (text if kept is None else _chosen(text, kept)))]
    return "\n".join(out) + "\n"


def block(text: str, heading: str) -> tuple[int, int]:
    """Where the first console block below a heading of a page begins and ends, without its fences."""
    begin = text.index("```console\n", text.index(f"\n## {heading}\n")) + len("```console\n")
    return begin, text.index("```\n", begin)


def _blocks(said: str) -> Iterator[tuple[str, list[str]]]:
    """Each command with what it said."""
    found: list[tuple[str, list[str]]] = []
    for line in said.splitlines():
        if line.startswith("$ "):
            found.append((line, []))
        elif found and not line.startswith("# "):
            found[-1][1].append(line.rstrip())
    for line, text in found:
        while text and not text[-1]:
            text.pop()
        yield line, text


def _chosen(text: Sequence[str], kept: Kept) -> list[str]:
    """With one mark for each gap."""
    out: list[str] = []
    left = 0
    for line in text:
        left = max(left, next((count for begin, count in kept if line.startswith(begin)), 0))
        if left:
            out.append(line)
            left -= 1
        elif not out or out[-1] != CUT:
            out.append(CUT)
    return out


def _fitted(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - len(CUT) - 1].rsplit(" ", 1)[0] + " " + CUT


def main() -> int:
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo"], cwd=CHECKOUT, capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
        return done.returncode
    for name, heading, story in PAGES:
        path = CHECKOUT / name
        text = path.read_text(encoding="utf-8")
        begin, end = block(text, heading)
        path.write_text(text[:begin] + transcript(done.stdout, story) + text[end:], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
