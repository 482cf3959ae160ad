"""Why an agent's program cannot be started, in words, and the npm packages of the known programs. Pure."""

from __future__ import annotations

import os.path
import re
from collections.abc import Mapping
from typing import Literal

from specs.dataclass import dataclass

FaultWord = Literal["not-installed", "not-executable", "wrong-processor", "no-interpreter", "too-old"]

# npm's name of each, the version that was tried last, and the oldest that was tried and whose options our launch uses.
PACKAGES: Mapping[str, tuple[str, str, str]] = {
    "claude": ("@anthropic-ai/claude-code", "2.1.332", "2.1.197"),
    "codex": ("@openai/codex", "0.171.0", "0.169.0"),
    "pi": ("@earendil-works/pi-coding-agent", "1.6.0", "0.73.1"),
    "opencode": ("opencode-ai", "1.18.33", "1.18.33"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramFault:
    """Why a program cannot be started. `why` is a sentence, `searched` the PATH if that matters, `repair` a command or
    advice, "" if there is none."""

    word: FaultWord
    why: str
    repair: str = ""
    searched: str = ""

    @property
    def certain(self) -> bool:
        """Whether a start would fail. An old version may work all the same: we report it, and start it."""
        return self.word != "too-old"


def install(runtime: str, program: str) -> str:
    """How to get a program; advice if no package is known."""
    if runtime in PACKAGES and os.path.basename(program) == runtime:
        return f"npm install --global --prefix ~/.local {PACKAGES[runtime][0]}"
    return f"install {program}, or correct the command of the runtime {runtime} in roster.yaml"


def is_older(version: str, oldest: str) -> bool:
    """Compares the numbers; a version without any is not known to be older."""
    one, other = _numbers(version), _numbers(oldest)
    return bool(one) and one < other


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("-")[0])[:3])
