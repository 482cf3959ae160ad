"""What every test gets, wherever it lives."""

from __future__ import annotations

import signal

from tests.hosts.fixtures import guard_programs, isolated, machine, private_host

__all__ = ["guard_programs", "isolated", "machine", "private_host"]

# A shell that starts us in the background has SIGINT and SIGQUIT ignored, and every process of ours would inherit that:
# tests that interrupt one would wait for ever.
for _signal, _wanted in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, _wanted)
