"""A host, what `mosaic doctor` says of it, and somebody who types what it recommends."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jsonschema

from reconciler.schemas.registry import schema_of
from tests.hosts.namespace import CHECKOUT
from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually

ROSTER = """\
version: 1
tmux: {socket_name: fleet}
agents:
  - {name: coder0, runtime: stub, class: orchestrator}
  - {name: coder1, runtime: stub, class: enhancer}
"""
# A stop is not put off until the agent has been quiet for a while.
FLEET = "version: 1\nname: fleet\nreconcile: {rollout: {on_change: immediately, max_unavailable: 5}}\n"
# Whoever comes upon a run of the timer does what they are told: "wait for it to end", at most for a minute.
WAITS = """\
#!/bin/sh
for try in $(seq 600); do
    {program} "$@"
    code=$?
    [ $code -eq 75 ] || exit $code
    sleep 0.1
done
exit 75
"""
ONLY_LOOKS = ("journalctl ", "df ", "ls ")
MOSAIC = [sys.executable, "-c", "from reconciler.commands.mosaic import main; main()"]


@dataclass(kw_only=True)
class Patient:
    """`env`: what the shell has by now, because a mend exported it."""

    host: PrivateHost
    env: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """A fleet of stubs, reconciled by the timer; `mosaic` and `reconcile` on PATH, and a sudo that is ours."""
        tools = self.host.home / "tools"
        for name, module in (("mosaic", "mosaic"), ("reconcile", "reconcile")):
            code = f"from reconciler.commands.{module} import main; main()"
            self.write(f"{tools}/{name}", WAITS.format(program=f'{sys.executable} -c "{code}"'), mode=0o755)
        self.write(f"{tools}/sudo", '#!/bin/sh\nexec "$@"\n', mode=0o755)
        self.env = {"PATH": f"{tools}:{self.host.env['PATH']}", "PYTHONPATH": str(CHECKOUT)}
        # There is no logind here that could be asked for it.
        self.write(f"/var/lib/systemd/linger/{self.host.env['USER']}", "")
        self.write(f"{self.host.home}/.gitconfig", "[user]\nname = Ada\nemail = ada@example.invalid\n")
        self.host.run(["git", "init", "--quiet", "-b", "main", self.host.home / "fleet"])
        self.write(f"{self.host.home}/fleet/fleet.yaml", FLEET)
        self.commit(ROSTER)
        self.type(["mosaic fleet install ~/fleet"])

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        outside = self.host.path_outside(path)
        outside.parent.mkdir(parents=True, exist_ok=True)
        outside.write_text(text)
        outside.chmod(mode)

    def commit(self, roster: str) -> None:
        self.write(f"{self.host.home}/fleet/roster.yaml", roster)
        git = ["git", "-C", f"{self.host.home}/fleet"]
        self.host.run([*git, "add", "--all"])
        self.host.run([*git, "commit", "--quiet", "--allow-empty", "--message", "A roster"])

    def type(self, lines: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
        """In one shell; what it has exported is there in the next one too."""
        lines = [line for line in lines if not line.startswith(ONLY_LOOKS)]
        script = "\n".join(["set -e", *lines, 'exec "$0" -c "import json, os; print(json.dumps(dict(os.environ)))"'])
        around = {**self.env, **(env or {})}
        done = self.host.run(["sh", "-c", script, sys.executable], env=around)
        after = json.loads(done.stdout.splitlines()[-1])
        self.env |= {name: value for name, value in after.items() if name.startswith(("XDG_", "DBUS_", "LC_", "LANG"))}

    def rest(self) -> None:
        """The timer stops, and a run of it that is under way has ended."""
        self.host.systemctl("stop", "mosaic-reconcile.timer")
        ask = ("show", "-P", "ActiveState", "mosaic-reconcile.service")
        quiet = ("inactive", "failed")
        eventually(lambda: self.host.systemctl(*ask).stdout.strip() in quiet, timeout=60, what="the end of a run")

    def doctor(self, *args: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The report, checked against its schema and its exit code."""
        done = self.host.run([*MOSAIC, "doctor", "-o", "json", *args], env={**self.env, **(env or {})}, check=False)
        assert done.stdout, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        jsonschema.Draft202012Validator(schema_of("doctor")).validate(report)
        assert done.returncode == (3 if report["summary"]["fail"] else 0), done.stderr
        return report

    def check(self, name: str, *, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        report = self.doctor(env=env)
        [found] = [dict(check) for check in report["checks"] if check["name"] == name]
        return found

    def results(self, *, env: Mapping[str, str] | None = None) -> dict[str, str]:
        return {check["name"]: check["result"] for check in self.doctor(env=env)["checks"]}

    def cured(self, name: str, result: str, *, env: Mapping[str, str] | None = None) -> str:
        """The check is `result` now, and ok once its mend was typed. Returns what was found. A mend can bring to
        light what is less bad: that is mended as well."""
        check = self.check(name, env=env)
        assert check["result"] == result, check
        found = str(check["found"])
        for _ in range(3):
            self.type(check["mend"], env=env)
            env = None
            check = self.check(name)
            if check["result"] == "ok":
                return found
        raise AssertionError(f"not cured: {check}")
