"""What it costs to see that nothing of the framework's files has changed: a look, a comparison and a plan."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from providers.shipped import release
from tests.reseed.bench import Bench

FILES = 500
ROUNDS = 25


def reseed() -> None:
    """500 files, all as shipped."""
    shipped = release()
    guide = shipped.files["guides/delivery.md"]
    more = {f"guides/guide-{number}.md": f"{guide}\n{number}\n" for number in range(FILES - len(shipped.files))}
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder), replace(shipped, files={**shipped.files, **more}))
        bench.converge()
        taken = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            if bench.look() is not None:
                raise AssertionError("something has changed")
            taken.append(time.perf_counter() - began)
    print(f"  {FILES:5} files   reseed, unchanged      {sorted(taken)[ROUNDS // 2] * 1000:9.1f} ms")
