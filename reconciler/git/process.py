"""The one place that runs git: a clean environment, an argument list, a deadline that ends the whole process group.

What is switched off, and why:

* Inherited `GIT_*` variables (otherwise a run from a git hook would work on the wrong repository) and every other
  variable that is not listed in `_INHERITED`.
* Hooks, fsmonitor, templates, submodules, replacement objects and automatic maintenance: nothing from a
  repository is ever executed. Filters have nothing to act on: files are read as blobs, without a work tree.
* Protocols other than https, ssh and file; every prompt (terminal, askpass, ssh).
* System and user configuration, except for the calls that talk to a source (`network=True`): credential helpers,
  proxies, certificates and `safe.directory` are there, and it is this user's own. Our settings override it.
  `core.sshCommand` is ignored; ssh is configured in `~/.ssh/config`.

`run_as_operator` makes a commit that a person asked for, in that person's own repository: with the person's identity,
hooks, signing and filters; it removes only inherited variables that name another repository.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from providers.processes.held_signals import held_signals
from reconciler.errors import Unavailable
from reconciler.git.error_text import PROTOCOLS, advice, key_lines
from specs.dataclass import dataclass

if TYPE_CHECKING:
    import subprocess

_INHERITED = (
    *("HOME", "USER", "LOGNAME", "PATH", "TMPDIR", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"),
    *("SSH_AUTH_SOCK", "KRB5CCNAME", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"),
)

_CONFIG = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.attributesFile", "/dev/null"),
    ("core.fsync", "committed,loose-object"),  # a power cut must not leave an empty object behind a good ref
    ("init.templateDir", ""),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.prune", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("gc.auto", "0"),
    ("gc.autoDetach", "false"),
    ("gc.packRefs", "false"),  # our one ref stays a file that can be read without git
    ("gc.pruneExpire", "never"),  # an applied revision stays readable after a force-push
    ("maintenance.auto", "false"),
    ("log.showSignature", "false"),
    ("advice.detachedHead", "false"),
)

# The variables that git lists as belonging to one repository (`git rev-parse --local-env-vars`): ours is another one.
_OF_A_REPOSITORY = frozenset((
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_DIR", "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NAMESPACE", "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
))  # fmt: skip
_GRACE_S = 5.0  # for an operator's git to remove its lock files before it is ended

_LOCALE = "C.UTF-8"  # messages in English, names in UTF-8
_REAP_S = 2.0  # how long a killed process group may take to disappear


class GitFailed(Unavailable):
    """git failed. `code` is its exit status, `stderr` what it wrote there, without secrets."""

    def __init__(self, message: str, *, code: int = -1, stderr: str = "", help: str = "") -> None:
        super().__init__(message, help=help)
        self.code = code
        self.stderr = stderr


class GitTimeout(GitFailed):
    """git did not answer before the deadline and was ended, with every process it had started."""


@dataclass(frozen=True, slots=True)
class GitOutput:
    """The result of a git command: exit status, standard output as bytes, standard error as text."""

    code: int
    out: bytes
    err: str


class Deadline:
    """A span of seconds that begins now and is shared by several calls."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, at_most: float) -> float:
        """Seconds for the next call: at most `at_most`, and at least a token amount (it then times out)."""
        return max(0.001, min(at_most, self._end - time.monotonic()))


def redact(text: str) -> str:
    """`text` without the credentials that a URL in it may carry."""
    text = re.sub(r"(https?://)[^/@\s']+@", r"\1***@", text)
    return re.sub(r"([a-z+]+://[^/@:\s']+):[^/@\s']+@", r"\1:***@", text)


def environment(*, network: bool, tree: bool = False, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The complete environment of a git process. `tree`: include the attributes that this user's git would apply."""
    overruled = tuple(pair for pair in _CONFIG if not (tree and pair[0] == "core.attributesFile"))
    env = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    env |= {
        "LC_ALL": _LOCALE,
        "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",  # set and empty: git then asks nobody, whatever core.askPass says
        "SSH_ASKPASS_REQUIRE": "never",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oControlMaster=no -oConnectTimeout=15",
        "GIT_SSH_VARIANT": "ssh",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ATTR_NOSYSTEM": "0" if tree else "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_CONFIG_COUNT": str(len(overruled)),
    }
    for index, (key, value) in enumerate(overruled):
        env[f"GIT_CONFIG_KEY_{index}"] = key
        env[f"GIT_CONFIG_VALUE_{index}"] = value
    if not network:
        env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    return env | dict(extra or {})


def run_git(
    args: Sequence[str],
    *,
    timeout_s: float,
    git_dir: Path | None = None,
    tree: Path | None = None,
    network: bool = False,
    stdin: bytes = b"",
    ok: Sequence[int] = (0,),
    config: Sequence[tuple[str, str]] = (),
    env: Mapping[str, str] | None = None,
) -> GitOutput:
    """Run `git ARGS` and return its result; in the working tree `tree`, if one is given.

    Raises GitTimeout after `timeout_s` seconds (its process group is then gone), GitFailed if the exit status is not
    one of `ok`, Unavailable if git is not installed. Callers put `--` or `--end-of-options` before anything from
    outside.
    """
    import shlex

    command = ["git", *(f"--git-dir={git_dir}" for _ in range(git_dir is not None))]
    for key, value in config:
        command += ["-c", f"{key}={value}"]
    command += args
    shown = redact("git " + shlex.join(args))
    surroundings = environment(network=network, tree=tree is not None, extra=env)
    with held_signals() as release:
        started = _start(command, cwd="/" if tree is None else str(tree), env=surroundings, terminal=False)
        return _finish(started, shown, release, stdin=stdin, timeout_s=timeout_s, ok=ok, grace_s=0.0)


def run_as_operator(
    args: Sequence[str],
    *,
    cwd: Path,
    timeout_s: float,
    ok: Sequence[int] = (0,),
    interactive: bool = False,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
) -> GitOutput:
    """Run `git ARGS` as the person who called us would, in the repository that `cwd` is in: hooks run, and commits are
    signed if the person's settings say so. `interactive`: it may ask on the terminal (a passphrase), and Ctrl-C reaches
    it.

    Raises as `run_git` does. A process that has to end is asked first, so that it leaves no lock file behind.
    """
    import shlex

    own = {name: value for name, value in os.environ.items() if name not in _OF_A_REPOSITORY}
    own |= {} if interactive else {"GIT_TERMINAL_PROMPT": "0"}
    shown = redact("git " + shlex.join(args))
    with held_signals() as release:
        started = _start(["git", *args], cwd=str(cwd), env=own | dict(env or {}), terminal=interactive)
        return _finish(started, shown, release, stdin=stdin, timeout_s=timeout_s, ok=ok, grace_s=_GRACE_S)


def _start(command: Sequence[str], *, cwd: str, env: Mapping[str, str], terminal: bool) -> subprocess.Popen[bytes]:
    """`cwd` is "/" if it does not matter: a folder that is not a repository and cannot disappear."""
    import subprocess

    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=env,
            start_new_session=not terminal,  # otherwise: its own process group to end, and no terminal to ask on
        )
    except OSError as error:
        where = f" in {cwd}" if cwd != "/" else ""
        raise Unavailable(
            f"git cannot be run{where}: {error.strerror}", help="install git (Debian: apt install git)"
        ) from error


def _finish(
    process: subprocess.Popen[bytes],
    shown: str,
    release: Callable[[], None],
    *,
    stdin: bytes,
    timeout_s: float,
    ok: Sequence[int],
    grace_s: float,
) -> GitOutput:
    """`release` lets signals through that were held back during the start; from here on, one ends the process."""
    import subprocess

    try:
        release()
        out, err_bytes = process.communicate(stdin, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        _ask_to_end(process, grace_s)
        _end(process)
        raise GitTimeout(f"`{shown}` did not answer within {timeout_s:.1f} s and was ended") from None
    except BaseException:  # on an interrupt, what we started ends with us
        _ask_to_end(process, grace_s)
        _end(process)
        raise
    err = redact(err_bytes.decode(errors="replace").strip())
    if process.returncode not in ok:
        raise _failure(shown, process.returncode, err)
    return GitOutput(process.returncode, out, err)


def _ask_to_end(process: subprocess.Popen[bytes], grace_s: float) -> None:
    import signal
    import subprocess

    if grace_s:
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=grace_s)


def _end(process: subprocess.Popen[bytes]) -> None:
    import signal
    import subprocess

    with suppress(ProcessLookupError):  # it has no group of its own if it shares our terminal
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        process.kill()
    with suppress(subprocess.TimeoutExpired):  # a grandchild that left the group may still hold the pipes
        process.communicate(timeout=_REAP_S)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _failure(shown: str, code: int, err: str) -> GitFailed:
    reason = "; ".join(key_lines(err)) or f"exit status {code}"
    return GitFailed(f"`{shown}` failed: {reason}", code=code, stderr=err, help=advice(err))
