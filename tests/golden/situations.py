"""Which functions make the texts of a command, beside its help."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from tests.golden import agents, checks, files, runs
from tests.golden.book import Text

Source = Callable[[], Iterable[Text]]

SITUATIONS: Mapping[str, tuple[Source, ...]] = {
    "reconcile": (runs.previews, runs.reports),
    "mosaic doctor": (checks.doctor,),
    "mosaic fleet init": (files.init,),
    "mosaic fleet ps": (agents.ps,),
    "mosaic fleet status": (runs.status,),
    "mosaic fleet validate": (files.validate,),
    "mosaic fleet verify": (checks.verify,),
    "mosaic agent status": (agents.described,),
}
