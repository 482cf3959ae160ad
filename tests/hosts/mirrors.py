"""Where packages come from: the mirrors that this machine's own apt is configured with, and no other name."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping

# What reaches the mirror, and what is believed of it. Not: what is fetched, and what runs afterwards.
_REACHING = re.compile(r"^Acquire::(https?|Check-|Retries|Force)", re.IGNORECASE)


def mirrors(distribution: str) -> list[str]:
    """Candidates for the archive of a distribution, the likeliest first; empty: debootstrap's own default is left.

    Mirrors hold both under the names of the distributions, so that the one that is configured has a sibling.
    """
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    )
    own, siblings = [], []
    for line in done.stdout.splitlines():
        origin, label, uri = line.split("|", 2)
        uri = uri.rstrip("/")
        last = uri.rpartition("/")[2]
        if distribution in {origin.lower(), last} and label.lower() in {distribution, "$(label)"}:
            own.append(uri)
        elif last in {"debian", "ubuntu"}:
            siblings.append(f"{uri.rpartition('/')[0]}/{distribution}")
    return list(dict.fromkeys([*own, *siblings]))


def apt_settings() -> str:
    """The lines of an apt.conf with which another root reaches the mirrors as this machine does."""
    done = subprocess.run(["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=False)
    return "".join(f"{line}\n" for line in done.stdout.splitlines() if _REACHING.match(line))


def proxies() -> Mapping[str, str]:
    """For programs that do not read apt's configuration; what the environment says goes first."""
    found = {}
    for scheme in ("http", "https"):
        asked = ["apt-config", "shell", "proxy", f"Acquire::{scheme}::Proxy"]
        said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
        value = os.environ.get(f"{scheme}_proxy") or said.partition("=")[2].strip().strip("'")
        if value and value.upper() != "DIRECT":
            found[f"{scheme}_proxy"] = value
    return found
