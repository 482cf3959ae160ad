"""Which functions make the texts of a command, beside its help."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from tests.golden import agents, changes, checks, files, host, mission, runs, talk
from tests.golden.book import Text

Source = Callable[[], Iterable[Text]]

SITUATIONS: Mapping[str, tuple[Source, ...]] = {
    "reconcile": (runs.previews, runs.reports),
    "mosaic doctor": (checks.doctor,),
    "mosaic fleet add": (changes.add,),
    "mosaic fleet attention": (agents.attention,),
    "mosaic fleet init": (files.init,),
    "mosaic fleet north-star graph": (mission.graph,),
    "mosaic fleet north-star next": (mission.next_goals,),
    "mosaic fleet north-star render": (mission.render,),
    "mosaic fleet north-star validate": (mission.validate,),
    "mosaic fleet persona accept": (changes.accept,),
    "mosaic fleet persona customise": (changes.customise,),
    "mosaic fleet persona diff": (changes.diff,),
    "mosaic fleet persona list": (changes.personas,),
    "mosaic fleet pause": (host.pause,),
    "mosaic fleet persona show": (changes.show,),
    "mosaic fleet provision": (changes.provision,),
    "mosaic fleet ps": (agents.ps,),
    "mosaic fleet release": (host.release,),
    "mosaic fleet remove": (changes.remove,),
    "mosaic fleet restart": (changes.restart,),
    "mosaic fleet resume": (host.resume,),
    "mosaic fleet start": (changes.start,),
    "mosaic fleet status": (runs.status, host.status),
    "mosaic fleet stop": (changes.stop,),
    "mosaic fleet suspend": (changes.suspend, host.suspend),
    "mosaic fleet uninstall": (talk.purge,),
    "mosaic fleet unsuspend": (changes.unsuspend, host.unsuspend),
    "mosaic fleet validate": (files.validate,),
    "mosaic fleet verify": (checks.verify,),
    "mosaic agent outbox": (talk.outbox,),
    "mosaic agent send": (talk.send,),
    "mosaic agent sessions": (talk.sessions,),
    "mosaic agent status": (agents.described,),
    "mosaic agent watch": (talk.watch,),
}
