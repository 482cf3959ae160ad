"""Real hosts for tests, for the demo and for the bench: made and taken away by the project, leaving nothing behind.

`PrivateHost` is a user manager of its own in namespaces (0.3 s); `Machine` is a whole booted machine. Both need root.
"""

from tests.hosts.errors import HostCommandError, HostLeftovers, HostUnavailable
from tests.hosts.machine import Machine
from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually

__all__ = ["HostCommandError", "HostLeftovers", "HostUnavailable", "Machine", "PrivateHost", "eventually"]
