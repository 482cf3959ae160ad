"""Facts about a host and its user that do not change during a run."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """A text of the operator's own in `mosaic_home`, by its file's name. `fault`: why it is there and could not be
    read, "" if it was."""

    name: str
    text: str = field(default="", repr=False)
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What does not change during a run, but for `overlays`, which are as of the last look. Paths are absolute and have
    no trailing slash."""

    user: str
    uid: int
    hostname: str
    home: str
    mosaic_home: str  # $MOSAIC_HOME, default ~/.config/mosaic
    unit_dir: str  # $XDG_CONFIG_HOME/systemd/user
    runtime_dir: str  # $XDG_RUNTIME_DIR
    state_home: str  # $XDG_STATE_HOME, default ~/.local/state
    config_home: str  # $XDG_CONFIG_HOME, default ~/.config
    python: str  # the interpreter that runs us: its real path
    interpreter: str  # the same as it was called: in a virtual environment that one's own, which finds our packages
    stub_program: str  # absolute path of the stub agent's source file
    machine_id: str = ""  # of this installation; "" where there is none that stays
    overlays: tuple[Overlay, ...] = field(default=(), repr=False)

    @property
    def agents_dir(self) -> str:
        """Where the launch environments are."""
        return f"{self.mosaic_home}/fleet/agents"

    @property
    def run_dir(self) -> str:
        """Where the heartbeats and the kill switch are."""
        return f"{self.mosaic_home}/fleet/run"

    @property
    def bin_dir(self) -> str:
        """Where the launch programs are."""
        return f"{self.mosaic_home}/fleet/bin"
