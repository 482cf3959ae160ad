"""`mosaic fleet ps --watch`: in place on a terminal, one document for each change off it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.cli.output import Output
    from reconciler.commands.view.ps import PsFormat
    from reconciler.listing.document import Listing

LEAST_S = 0.2  # a look costs a twentieth of a second; more often is only noise


def follow(
    output: Output,
    form: PsFormat,
    *,
    fleet: str | None,
    agents: tuple[str, ...],
    running: bool,
    all_hosts: bool,
    interval: float,
) -> int:
    """Until somebody presses q or ctrl-C, or ends us. Raises MosaicError if the first look cannot be made at all;
    what goes wrong later is shown, and the next look may know more."""
    from reconciler.terminal.screen import paints

    look = _looker(fleet, agents, running=running, all_hosts=all_hosts)
    first = look()
    every = max(LEAST_S, interval)
    if form in ("text", "wide") and paints(sys.stdout, os.environ):
        return _paint(output, look, first, every, wide=form == "wide")
    return _stream(output, look, first, every, form)


def _looker(fleet: str | None, agents: tuple[str, ...], *, running: bool, all_hosts: bool) -> Callable[[], Listing]:
    from reconciler.commands.view.ps import chosen
    from reconciler.context.host import host_context
    from reconciler.inspection.fleet import FleetLook, find, see_at

    place, around = find(fleet), host_context()
    before: list[FleetLook] = []

    def look() -> Listing:
        seen = see_at(place, around, before[0] if before else None)
        before[:] = [seen]
        return chosen(seen, agents, running=running, all_hosts=all_hosts)

    return look


def _paint(output: Output, look: Callable[[], Listing], first: Listing, every: float, *, wide: bool) -> int:
    from reconciler.errors import ExitCode, MosaicError
    from reconciler.render.ps_text import ps_text
    from reconciler.terminal.screen import Ended, TerminalScreen

    listing, trouble = first, ""

    def text(columns: int) -> list[str]:
        lines = ps_text(listing, width=columns, wide=wide, paint=output.paint).splitlines()
        return [*lines, "", trouble or f"every {every:g} s; q to leave"]

    try:
        with TerminalScreen(sys.stdout, sys.stdin) as screen:
            due = time.monotonic() + every
            while True:
                screen.show(text)
                if not screen.wait(max(0.0, due - time.monotonic())):
                    return int(ExitCode.OK)
                if time.monotonic() < due:
                    continue  # another size, or a key that means nothing
                try:
                    listing, trouble = look(), ""
                except MosaicError as error:
                    trouble = f"error: {error.message}"
                due = time.monotonic() + every
    except KeyboardInterrupt:
        return int(ExitCode.OK)  # the usual way out of a list that goes on for ever
    except Ended as ended:
        return 128 + ended.signum


def _stream(output: Output, look: Callable[[], Listing], first: Listing, every: float, form: PsFormat) -> int:
    from reconciler.errors import ExitCode, MosaicError
    from reconciler.listing.document import listing_document, steady

    reported: object = None
    trouble = ""
    listing: Listing | None = first
    while True:
        if listing is not None:
            document = listing_document(listing)
            if (now := steady(document)) != reported:
                reported = now
                output.document(document, "yaml" if form == "yaml" else "json", one_line=True)
                if not output.heard:
                    return int(ExitCode.OK)
        time.sleep(every)
        try:
            listing = look()
        except MosaicError as error:
            listing = None
            if error.message != trouble:
                output.error(error)
            trouble = error.message
        else:
            trouble = ""
