"""opencode."""

from __future__ import annotations

from providers.programs.base import Plain, Program

PROGRAM: Program = Plain("opencode")
