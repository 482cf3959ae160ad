"""One private host for all scenarios of this folder; each scenario is a process inside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.fixtures import RealHosts
from tests.hosts.private import PrivateHost

TEMPLATE = """[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
[Install]
WantedBy=default.target
"""
UNITS = {
    "mosaic-agent@.service": TEMPLATE,
    "mosaic-fail.service": "[Service]\nType=oneshot\nExecStart=/bin/false\n",
    "mosaic-hang@.service": "[Service]\nType=oneshot\nExecStart=/bin/sleep 1000\n",
    "mosaic-slow@.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep 3\n",
    "mosaic-run@.service": "[Service]\nExecStart=/bin/sleep 1000\n",
    "mosaic-odd.service": "[Service]\nExecStart=relative/path\n",
}


@pytest.fixture(scope="module")
def private(real_hosts: RealHosts) -> Iterator[PrivateHost]:
    with real_hosts(lambda: PrivateHost(hostname="local-host")) as host:
        folder = host.path_outside(host.home / ".config/systemd/user")
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in UNITS.items():
            (folder / name).write_text(text)
        host.systemctl("daemon-reload")
        yield host
