"""The providers, listed by hand, in the order in which their things are needed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from providers.base import Kind, Provider
from providers.kinds.env import EnvProvider
from providers.kinds.extras import ExtrasProvider
from providers.kinds.framework import FrameworkProvider
from providers.kinds.heartbeat import HeartbeatProvider
from providers.kinds.holder import HolderProvider
from providers.kinds.linger import LingerProvider
from providers.kinds.place import PlaceProvider
from providers.kinds.projection import ProjectionProvider
from providers.kinds.reseed import ReseedProvider
from providers.kinds.responder import ResponderProvider
from providers.kinds.session import SessionProvider
from providers.kinds.unit import UnitProvider

Registry = Mapping[Kind, Provider]


@lru_cache(maxsize=4)
def registry(
    *,
    owned_on: frozenset[tuple[str, str]] = frozenset(),
    install: Literal["none", "timer", "watch"] = "none",
    command: tuple[str, ...] = (),
    measure: bool = False,
) -> Registry:
    """One provider for each kind; the same arguments give the same providers, which may keep what is expensive to make.

    `owned_on`, `measure`: see SessionProvider; the rest: see FrameworkProvider.
    """
    providers: tuple[Provider, ...] = (
        FrameworkProvider(install=install, command=command),
        ReseedProvider(),
        ProjectionProvider(),
        LingerProvider(),
        HolderProvider(),
        ResponderProvider(),
        EnvProvider(),
        ExtrasProvider(),
        UnitProvider(),
        SessionProvider(owned_on, measure=measure),
        HeartbeatProvider(),
        PlaceProvider(),
    )
    return {provider.kind: provider for provider in providers}
