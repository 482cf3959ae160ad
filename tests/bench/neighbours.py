"""The same units asserted by pyinfra and by Ansible in check mode, which is what people have today."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def pyinfra(tools: Path, units: Sequence[str], folder: Path) -> list[str]:
    """The command that asserts the units with pyinfra: a run, not `--dry`, which changes nothing either (they are right
    already) and looks at each unit."""
    deploy = folder / "deploy.py"
    lines = ["from pyinfra.operations import systemd", ""]
    lines += [f"systemd.service(service={unit!r}, running=True, enabled=True, user_mode=True)" for unit in units]
    deploy.write_text("\n".join(lines) + "\n")
    return [str(tools / "pyinfra"), "@local", str(deploy), "-y"]


def ansible(tools: Path, units: Sequence[str], folder: Path) -> list[str]:
    """The command that asserts the units with Ansible in check mode."""
    playbook = folder / "playbook.yml"
    lines = ["- hosts: localhost", "  connection: local", "  gather_facts: false", "  tasks:"]
    for unit in units:
        lines += [
            f"    - name: {unit}",
            "      ansible.builtin.systemd_service:",
            f"        {{name: {unit!r}, scope: user, state: started, enabled: true}}",
        ]
    playbook.write_text("\n".join(lines) + "\n")
    return [str(tools / "ansible-playbook"), "-i", "localhost,", "--check", str(playbook)]
