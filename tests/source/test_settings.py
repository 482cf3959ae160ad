"""reconcile.toml: every mistake with its place, and a file that others may write is not believed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.context.settings import Settings, read_settings, settings_path, write_settings
from reconciler.errors import InvalidConfig


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = settings_path(tmp_path / "config")
    made.parent.mkdir(parents=True)
    return made


def write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def test_no_file_means_defaults(path: Path) -> None:
    assert read_settings(path) == Settings()


def test_everything_is_read(path: Path, tmp_path: Path) -> None:
    write(
        path,
        'source = "git@host:fleet"\nref = "main"\nverify = "all"\nallowed_signers = "~/signers"\n'
        'gpg_keyring = "/etc/keys.gpg"\nfetch_timeout = "2m"\nhost = "build-1"\ninstall = "timer"\n'
        'path = ["~/.local/bin", "/opt/bin"]\n',
    )
    home = tmp_path / "home"
    assert read_settings(path) == Settings(
        source="git@host:fleet",
        ref="main",
        verify="all",
        allowed_signers=home / "signers",
        gpg_keyring=Path("/etc/keys.gpg"),
        fetch_timeout=120.0,
        host="build-1",
        install="timer",
        path=(str(home / ".local/bin"), "/opt/bin"),
    )


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('source = "x"\nverfy = "head"\n', "2:1", 'did you mean "verify"'),
        ("\n  verify = 3\n", "2:3", "none, head, all"),
        ('verify = "sometimes"\n', "1:1", "not 'sometimes'"),
        ('verify = "head"\n', "1:1", "whom to trust"),
        ('ref = "a..b"\n', "1:1", "branch or tag"),
        ('host = "-x"\n', "1:1", "host name"),
        ("fetch_timeout = 0\n", "1:1", "more than 0"),
        ("fetch_timeout = true\n", "1:1", "seconds"),
        ('fetch_timeout = "soon"\n', "1:1", "more than 0"),
        ('fetch_timeout = "2h"\n', "1:1", "at most 1h"),
        ('path = "x"\n', "1:1", "list"),
        ('path = ["relative"]\n', "1:1", "absolute"),
        ('path = ["/a:b"]\n', "1:1", "colon"),
        ('source = ""\n', "1:1", "not empty"),
        ('[protocols]\nallow = "ext"\n', "1:1", 'unknown key "protocols"'),
        ('source = "x\n', "1:12", ""),
        ("source = \n", "1:10", ""),
        ('source = "x"\nsource = "y"\n', "2:", ""),
        ('source = "abc', "1:14", ""),
    ],
)
def test_mistakes_have_a_place(path: Path, text: str, place: str, words: str) -> None:
    write(path, text)
    with pytest.raises(InvalidConfig) as caught:
        read_settings(path)
    assert f"{path}:{place}" in caught.value.where
    assert words in caught.value.render()
    assert caught.value.exit_code == 78


def test_all_mistakes_are_reported_at_once(path: Path) -> None:
    write(path, "host = 1\ncolour = 2\nref = 3\n")
    with pytest.raises(InvalidConfig) as caught:
        read_settings(path)
    shown = caught.value.render()
    assert all(f"{path}:{line}:1" in shown for line in (1, 2, 3))


def test_bad_bytes(path: Path) -> None:
    path.write_bytes(b'host = "x"\nsource = "\xff"\n')
    path.chmod(0o600)
    with pytest.raises(InvalidConfig, match="UTF-8") as caught:
        read_settings(path)
    assert caught.value.where == f"{path}:2:1"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused(path: Path, mode: int) -> None:
    path.write_text('verify = "none"\n')
    path.chmod(mode)
    with pytest.raises(InvalidConfig, match="can be written by others") as caught:
        read_settings(path)
    assert f"chmod 600 {path}" in caught.value.help


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip)


@settings(max_examples=50, deadline=None)
@given(source=text, timeout=st.integers(1, 3600), host=st.sampled_from([None, "h", "a.b-c"]), path_=st.lists(text))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, source: str, timeout: int, host: str | None, path_: list[str]
) -> None:
    folders = tuple("/" + name.replace(":", "").replace("\n", "").strip("/") for name in path_)
    written = Settings(
        source=source,
        ref="main",
        verify="head",
        allowed_signers=Path("/etc/signers"),
        fetch_timeout=float(timeout),
        host=host,
        install="watch",
        path=tuple(str(Path(folder)) for folder in folders),
    )
    path = tmp_path_factory.mktemp("settings") / "mosaic" / "reconcile.toml"
    write_settings(path, written)
    assert read_settings(path) == written
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_written_file_explains_itself(path: Path) -> None:
    write_settings(path, Settings(source="/srv/fleet"))
    lines = path.read_text().splitlines()
    assert 'source = "/srv/fleet"' in lines
    assert '# verify = "none"' in lines
    assert all(line.startswith("#") for line in lines if line and not line.startswith("source"))
    assert read_settings(path) == Settings(source="/srv/fleet")
