"""Observe: one look at the host through every provider. What fails is unknown, and says why."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from providers.base import Kind, ObserveError, Present, ResourceKey
from providers.launch import holder_sockets
from reconciler.model import Observation

if TYPE_CHECKING:
    from providers.host import Host
    from providers.registry import Registry
    from specs.compiled import Fleet


def observe(host: Host, fleet: Fleet, registry: Registry) -> Observation:
    """Never raises ObserveError: a kind that could not be seen is in `unknown`, and nothing is concluded about it."""
    look = host.look(holder_sockets(fleet))
    present: dict[ResourceKey, Present] = {}
    unknown: dict[Kind, str] = {}
    for kind, provider in registry.items():
        try:
            present.update(provider.observe(look, fleet, host.facts))
        except ObserveError as error:
            unknown[kind] = str(error)
    try:
        boot_id = look.boot_id()
    except ObserveError:
        boot_id = ""
    return Observation(
        present=present,
        unknown=unknown,
        taken_at=look.now(),
        uptime=look.uptime(),
        boot_id=boot_id,
        digest=_digest(present, unknown),
    )


def _digest(present: dict[ResourceKey, Present], unknown: dict[Kind, str]) -> str:
    """Of what is compared, and not of ages and activity, which change with every look. A pane's process belongs to
    it: a session that was restarted since is another one."""
    digest = hashlib.sha256()
    kept = [(key.kind, key.name, seen) for key, seen in present.items() if key.kind is not Kind.HEARTBEAT]
    for kind, name, seen in sorted(kept, key=lambda one: one[:2]):
        fields = sorted(seen.fields.items())
        digest.update(f"{kind} {name} {seen.ours} {fields!r} {seen.evidence.get('pid', '')}\n".encode())
    digest.update(repr(sorted(unknown)).encode())
    return "sha256:" + digest.hexdigest()
