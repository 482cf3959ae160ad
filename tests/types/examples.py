"""The example of each system type, as it is provisioned: `python -m tests.types.examples` writes them anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.render.charts.org_svg import org_svg
from specs.editing.edit import entries
from specs.fleet_files import ROSTER
from specs.loading.load import load
from specs.organisation.org import organise
from specs.organisation.provision import Wanted, provision
from specs.types.repository_extras import read_own
from specs.types.system_type import shipped
from tests.hosts.namespace import CHECKOUT

FLEETS, DRAWINGS = CHECKOUT / "examples" / "fleets", CHECKOUT / "docs" / "org"
# What an operator would say on the command line beside `--type`.
RUNTIMES: Mapping[str, Mapping[str, str]] = {
    "software-delivery": {"code": "codex", "review": "pi"},
    "business": {"code": "codex"},
    "research": {"researcher": "pi"},
}


def example_of(type_id: str) -> Mapping[str, bytes]:
    """The files of `examples/fleets/type-ID`; their schemas are those of the documentation."""
    wanted = Wanted(name=f"type-{type_id}", runtimes=RUNTIMES.get(type_id, {}))
    made = provision({}, shipped()[type_id], read_own({}), wanted).files
    return {
        name: data.replace(b"$schema=schemas/", b"$schema=../../../docs/schemas/", 1) for name, data in made.items()
    }


def drawing_of(type_id: str) -> str:
    """What `mosaic fleet org examples/fleets/type-ID -o svg` prints."""
    files = example_of(type_id)
    org = organise(shipped()[type_id], read_own({}), entries(files[ROSTER]), fleet=load(files).fleet.name)
    return org_svg(org)


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


if __name__ == "__main__":
    for one in shipped():
        for file, content in example_of(one).items():
            write(FLEETS / f"type-{one}" / file, content)
        write(DRAWINGS / f"{one}.svg", drawing_of(one).encode())
