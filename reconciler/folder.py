"""The files of a fleet as they stand in a folder, committed or not."""

from __future__ import annotations

from pathlib import Path

MAX_BYTES = 1024 * 1024  # of one file; the loader refuses what is longer


def read_folder(path: Path) -> dict[str, bytes]:
    """Everything that a fleet is made of, by its path below the folder; `path` may be a file of its root, too. Raises
    NotFound for what is no folder, MosaicError for what cannot be read."""
    from reconciler.dirty import folder_files
    from reconciler.errors import MosaicError, NotFound
    from specs.load import FILES

    folder = path.parent if path.name in FILES and path.is_file() else path
    if not folder.is_dir():
        raise NotFound(f"{path} is not a folder", help="give the folder that has roster.yaml in it")
    found = {}
    for name in (*FILES, *folder_files(folder)):
        try:
            with (folder / name).open("rb") as file:
                found[name] = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise MosaicError(f"{folder / name} cannot be read: {error.strerror or error}") from error
    return found
