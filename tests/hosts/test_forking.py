"""A command that is forked is what a new interpreter would be, inside the same host."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hosts.errors import HostCommandError
from tests.hosts.fixtures import RealHosts
from tests.hosts.forking import can_fork
from tests.hosts.namespace import CHECKOUT
from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually

ENV = {"PYTHONPATH": str(CHECKOUT), "LANG": "C.UTF-8"}
# All that a program can know of how it was started.
PROBE = """
import json, locale, os, resource, signal, socket, sys
handlers = {}
for number in sorted(signal.valid_signals()):
    handlers[number] = str(signal.getsignal(number)).partition(" at ")[0]
streams = (sys.stdin, sys.stdout, sys.stderr)
print(json.dumps({
    "argv": sys.argv, "path": [one for one in sys.path if "editable" not in one], "flags": str(sys.flags),
    "name": __name__, "executable": [sys.executable, sys.prefix], "environ": dict(os.environ), "cwd": os.getcwd(),
    "cgroup": open("/proc/self/cgroup").read(), "ppid": os.getppid(), "leads": os.getsid(0) == os.getpid(),
    "fds": sorted(map(int, os.listdir("/proc/self/fd")))[:-1], "umask": os.umask(0),
    "ids": os.getresuid() + os.getresgid(),
    "handlers": handlers, "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())), "nice": os.nice(0),
    "limits": [resource.getrlimit(one) for one in range(16)], "locale": locale.setlocale(locale.LC_CTYPE),
    "streams": [(one.encoding, one.errors, one.line_buffering, one.name, one.mode) for one in streams],
    "host": socket.gethostname(),
    "spaces": {one: os.readlink("/proc/self/ns/" + one) for one in os.listdir("/proc/self/ns")},
    "main": vars(sys.modules["__main__"]) is globals(), "read": sys.stdin.read(),
}))
"""


@pytest.fixture(scope="module")
def host(real_hosts: RealHosts) -> Iterator[PrivateHost]:
    with real_hosts(PrivateHost) as made:
        yield made


def forked(host: PrivateHost, code: str, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return host.run([sys.executable, "-c", code, *args], env=ENV, **options)


def started(host: PrivateHost, code: str, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """By an interpreter of its own."""
    return host.run(["env", sys.executable, "-c", code, *args], env=ENV, **options)


@pytest.mark.parametrize("input_", [None, "", "one\ntwo\n"])
def test_it_cannot_be_told_from_a_new_interpreter(host: PrivateHost, input_: str | None) -> None:
    options: dict[str, Any] = {"cwd": "/usr", "input": input_}
    ours, real = (json.loads(run(host, PROBE, "a", "b c", **options).stdout) for run in (forked, started))
    real["environ"].pop("PWD", None)  # the shell's in between
    assert ours == real


def test_a_module_is_run_as_python_runs_it(host: PrivateHost) -> None:
    argv = [sys.executable, "-m", "reconciler", "--help"]
    ours = host.run(argv, env=ENV)
    assert ours.stdout == host.run(["env", *argv], env=ENV).stdout
    assert "Usage: reconcile" in ours.stdout
    assert host.run([sys.executable, "-m", "reconciler", "--nonsense"], env=ENV, check=False).returncode == 64


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.exit(3)",
        "import sys; sys.exit('said')",
        "import sys; sys.exit()",
        "import sys; sys.exit(300)",
        "import os; os._exit(5)",
        "import threading, time; threading.Thread(target=lambda: (time.sleep(0.2), print('later'))).start()",
        "import sys; print('x'); sys.stdout.close()",
        "import os; print('lost'); os.close(1)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
        "1 / 0",
        "import atexit; atexit.register(print, 'bye'); print('hi')",
        "import os; os.close(1); os.close(2)",
        "print('x' * 300_000, end='')",
        "import sys; sys.stdout.buffer.write(b'\\xff')",
    ],
)
def test_it_ends_as_a_new_interpreter_would(host: PrivateHost, code: str) -> None:
    ours, real = (run(host, code, check=False) for run in (forked, started))
    assert (ours.returncode, ours.stdout) == (real.returncode, real.stdout)
    assert ours.stderr.splitlines()[-1:] == real.stderr.splitlines()[-1:]


def test_nothing_of_one_command_is_left_for_the_next(host: PrivateHost) -> None:
    for _ in range(3):
        code = (
            "import reconciler.errors as e; print(hasattr(e, 'left')); e.left = 1; import os; os.environ['LEFT'] = '1'"
        )
        assert forked(host, code).stdout == "False\n"
        assert forked(host, "import os; print(os.environ.get('LEFT'))").stdout == "None\n"


def test_two_runs_have_two_hash_seeds(host: PrivateHost) -> None:
    first, second = (forked(host, "print(hash('a'))").stdout for _ in range(2))
    assert first != second


def test_one_that_does_not_end_is_ended(host: PrivateHost) -> None:
    code = "import subprocess; print('begun', flush=True); subprocess.run(['sleep', '98765'])"
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        forked(host, code, timeout=2)
    assert caught.value.output == "begun\n"
    eventually(lambda: "98765" not in host.run(["ps", "-A", "-o", "args"]).stdout, what="the end of its child")


def test_what_fails_is_an_error_with_its_output(host: PrivateHost) -> None:
    with pytest.raises(HostCommandError, match="went wrong"):
        forked(host, "import sys; print('went wrong', file=sys.stderr); sys.exit(1)")


def test_a_host_that_has_ended_is_said(real_hosts: RealHosts) -> None:
    with real_hosts(PrivateHost) as gone:
        pass
    gone.pid = 2**22
    with pytest.raises(HostCommandError, match="the host cannot be entered"):
        forked(gone, "pass")


@pytest.mark.parametrize(
    ("argv", "environ"),
    [
        (["sh", "-c", "x"], ENV),
        ([sys.executable], ENV),
        ([sys.executable, "-I", "-c", "x"], ENV),
        (["/usr/bin/python3", "-c", "x"], ENV),
        ([sys.executable, "-c", "x"], {}),
        ([sys.executable, "-c", "x"], ENV | {"PYTHONHASHSEED": "1"}),
        ([sys.executable, "-c", "x"], ENV | {"LC_ALL": "C"}),
        ([sys.executable, "-c", "x"], ENV | {"LANG": "C"}),
    ],
)
def test_anything_else_gets_an_interpreter_of_its_own(argv: list[str], environ: dict[str, str]) -> None:
    assert not can_fork(argv, environ)
    assert can_fork([sys.executable, "-c", "x"], ENV | {"PATH": "/bin"})
