"""The package as a user installs it: in a virtual environment of that user's own, where another version can take its
place."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.hosts import Machine
from tests.hosts.namespace import CHECKOUT

# Its dependencies are those of the environment that the tests run in; its own packages are copies.
_MAKE = """
set -eu
python=$1 target=$2
dependencies=$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
"$python" -m venv --without-pip "$target"
site=$(echo "$target"/lib/python3*/site-packages)
echo "$dependencies" >"$site/dependencies.pth"
for command in reconcile mosaic; do
  {
    echo "#!$target/bin/python"
    echo "import sys"
    echo "from reconciler.commands.$command import main"
    echo "sys.exit(main())"
  } >"$target/bin/$command"
  chmod +x "$target/bin/$command"
done
echo "$site"
"""
_PUT = """
set -eu
from=$1 site=$2
for package in reconciler providers specs; do
  rm -rf "$site/$package"
done
tar -C "$from" --exclude=__pycache__ -cf - reconciler providers specs | tar -C "$site" -xmf -
"""
# Of a text that is not as the edit expects it, nothing is known: that is the test's mistake.
_EDIT = """
import json, pathlib, sys
site, edits = pathlib.Path(sys.argv[1]), json.loads(sys.stdin.read())
for name, pairs in edits.items():
    text = (site / name).read_text()
    for before, after in zip(pairs[::2], pairs[1::2], strict=True):
        assert text.count(before) == 1, f"{name} has {before!r} {text.count(before)} times"
        text = text.replace(before, after)
    (site / name).write_text(text)
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """`bin` is where its commands are, `site` where its packages are; both paths are the machine's."""

    machine: Machine
    user: str
    bin: str
    site: str

    @classmethod
    def create(cls, machine: Machine, user: str) -> Installed:
        """This version."""
        target = f"{machine.home(user)}/mosaic"
        site = machine.run(["sh", "-c", _MAKE, "sh", sys.executable, target], user).stdout.strip()
        installed = cls(machine, user, f"{target}/bin", site)
        installed._put()
        return installed

    def upgrade(self, edits: Mapping[str, Sequence[str]]) -> None:
        """Put another version in its place: this one, but for `edits`: of each file what is replaced, by what, what
        else, by what."""
        import json

        self._put()
        self.machine.run([f"{self.bin}/python", "-c", _EDIT, self.site], self.user, input=json.dumps(edits))

    def text(self, name: str) -> str:
        """A file of the installed version."""
        return self.machine.run(["cat", f"{self.site}/{name}"], self.user).stdout

    def _put(self) -> None:
        self.machine.run(["sh", "-c", _PUT, "sh", str(CHECKOUT), self.site], self.user)
