"""What every test gets, wherever it lives."""

from __future__ import annotations

from tests.hosts.fixtures import guard_programs, isolated, machine, private_host

__all__ = ["guard_programs", "isolated", "machine", "private_host"]
