"""Facts about a host and its user that do not change during a run."""

from __future__ import annotations

from specs.dataclass import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """A text of the operator's own in `mosaic_home`, by its file's name. `fault`: why an existing file could not be
    read, "" if it could."""

    name: str
    text: str = field(default="", repr=False)
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What does not change during a run, except `overlays`, which are as of the last look. Paths are absolute and have
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
    interpreter: str  # the path it was called by: in a virtual environment that one's own, which finds our packages
    stub_program: str  # absolute path of the stub agent's source file
    machine_id: str = ""  # of this installation; "" if it has no permanent one
    overlays: tuple[Overlay, ...] = field(default=(), repr=False)

    @property
    def agents_dir(self) -> str:
        """The folder of the launch environments."""
        return f"{self.mosaic_home}/fleet/agents"

    @property
    def run_dir(self) -> str:
        """The folder of the heartbeats and the kill switch."""
        return f"{self.mosaic_home}/fleet/run"

    @property
    def bin_dir(self) -> str:
        """The folder of the launch programs."""
        return f"{self.mosaic_home}/fleet/bin"
