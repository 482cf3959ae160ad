"""Gates over what ships: how long the texts are that every agent carries, and what none of the files may say.

Lines are counted, never words: a limit on words would make people squeeze the law into worse sentences.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Files that reach other people's machines. Raising a budget is a decision, made here, with its reason in the commit.
SHIPPED = ("specs/library", "providers/framework_files", "providers/programs/files", "examples")
BUDGETS = (
    ("specs/library/framework/CONSTITUTION.md", 60),
    ("specs/library/framework/AGENTS.md", 40),
    ("specs/library/framework/TOOLS.md", 30),
    ("specs/library/framework/runtimes/*.md", 20),
    ("specs/library/framework/templates/*.md", 20),
    ("specs/library/personas/*.md", 60),
)
RULES = {
    "a private home": r"(?<![\w.-])/(?:home|Users)/(?!op/|USER/|NAME/)[A-Za-z0-9._-]+|(?<![\w.-])/root/",
    "a person's address": r"\b[\w.+-]+@[\w-]+\.(?!service\b|target\b|timer\b|scope\b|path\b|example\b)[A-Za-z]{2,}\b",
    "a network address": r"\b(?!127\.0\.0\.1\b)(?:\d{1,3}\.){3}\d{1,3}\b",
    "a host's name": r"\b[a-z0-9-]+\.(?:lan|internal|corp|intranet|home\.arpa)\b",
    "a place on the network": r"\b(?:https?|ssh|git)://(?!127\.0\.0\.1\b|localhost\b|example\.)[^\s)\"'>]+",
    "a token": (
        r"\b(?:sk-[A-Za-z0-9-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|xox[abp]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{12,}"
        r"|AIza[A-Za-z0-9_-]{20,}|eyJ[A-Za-z0-9_-]{20,}\.)|-----BEGIN [A-Z ]*PRIVATE KEY"
    ),
    "a long secret": r"(?i)\b(?:password|passwd|secret|token|api[_-]?key)\b\s*[:=]\s*[\"']?[A-Za-z0-9+/_-]{12,}",
    "a placeholder": r"\{\{[^}]*\}\}|\b(?:TODO|FIXME|XXX|TBD)\b",
}
# Names of people, machines and houses that the facts came from, as the first 16 digits of the SHA-256 of each word in
# lower case: so that the list says none of them itself.
NAMES = frozenset(
    {
        "06b9a6eacd7a77b9",
        "0a48cfe61877db43",
        "1e1e3079a2ad72f7",
        "7a429fef5b415eef",
        "ca07b74dd045d3a8",
        "dda820158d142a0b",
        "df77c5138ae76098",
        "effa717f1a16d113",
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def shipped(root: Path = ROOT) -> Iterator[Path]:
    """Every file that ships as data, relative to the checkout."""
    for folder in SHIPPED:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(root)


def too_long(root: Path = ROOT) -> Iterator[Finding]:
    """Texts over their budget, and budgets that nothing is held to any more."""
    names = [path.as_posix() for path in shipped(root)]
    for pattern, most in BUDGETS:
        held = [name for name in names if fnmatch(name, pattern)]
        if not held:
            yield Finding(pattern, 0, "there is no such file: the budget is for nothing")
        for name in held:
            lines = (root / name).read_text(encoding="utf-8").count("\n")
            if lines > most:
                yield Finding(name, most + 1, f"{lines} lines, and at most {most} are carried by every agent")


def said(path: str, text: str) -> Iterator[Finding]:
    """What a shipped file must not say."""
    for number, line in enumerate(text.splitlines(), 1):
        for what, pattern in RULES.items():
            if found := re.search(pattern, line):
                yield Finding(path, number, f"{what}: {found[0][:40]}")
        for word in _words(line):
            if hashlib.sha256(word.encode()).hexdigest()[:16] in NAMES:
                yield Finding(path, number, "the name of somebody, or of somebody's machine")


def unclean(root: Path = ROOT) -> Iterator[Finding]:
    """Over every shipped file; one that is no text is a finding, too."""
    for path in shipped(root):
        try:
            text = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            yield Finding(path.as_posix(), 1, "not a text file")
            continue
        yield from said(path.as_posix(), text)


def _words(line: str) -> Iterable[str]:
    for word in re.findall(r"[A-Za-z][A-Za-z0-9-]*", line):
        yield word.lower()
        if "-" in word:
            yield from word.lower().split("-")
