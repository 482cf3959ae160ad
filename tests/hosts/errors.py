"""What can go wrong with a host of the tests."""

from __future__ import annotations

import shlex
import subprocess


class HostUnavailable(Exception):
    """This machine cannot make such a host; the text says what is missing."""


class HostLeftovers(Exception):
    """A host was closed and something of it is still there."""


class HostCommandError(subprocess.CalledProcessError):
    """A command inside a host failed; unlike its base it shows what the command said."""

    def __str__(self) -> str:
        command = shlex.join(str(word) for word in self.cmd)
        return f"`{command}` ended with {self.returncode}\n--- out\n{self.stdout}\n--- err\n{self.stderr}"
