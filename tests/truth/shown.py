"""A program that shows captured screens of the real ones: `python -I -S shown.py NAME SCREEN`, where NAME is the name
that it goes by, and SCREEN a recorded one (tests/programs/screens) by program, name and width, such as
`claude.idle.80`, of the oldest version. `show SCREEN` and Enter shows another one.

The first line of such a file is the cursor's column and row, the width and height, and the title.
"""

from __future__ import annotations

import os
import sys
import termios

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "programs", "screens")


def show(name: str) -> None:
    program, _, rest = name.partition(".")
    places = (f"{FOLDER}/{program}/{version}/{rest}.txt" for version in sorted(os.listdir(f"{FOLDER}/{program}")))
    with open(next(filter(os.path.exists, places)), encoding="utf-8") as file:
        head, *lines = file.read().replace("\N{SYMBOL FOR ESCAPE}", "\x1b").split("\n")
    column, row, _, height, title = head.split(" ", 4)
    out = "\x1b[0m\x1b[2J\x1b[H" + "\r\n".join(lines[: int(height)])
    os.write(1, f"{out}\x1b[0m\x1b]2;{title}\x07\x1b[{int(row) + 1};{int(column) + 1}H".encode())


def main() -> None:
    with open("/proc/self/comm", "w", encoding="utf-8") as comm:
        comm.write(sys.argv[1])
    mode = termios.tcgetattr(0)
    mode[3] &= ~(termios.ECHO | termios.ISIG)
    termios.tcsetattr(0, termios.TCSANOW, mode)
    show(sys.argv[2])
    for line in sys.stdin:
        word, _, name = line.strip().partition(" ")
        if word == "show":
            show(name)


if __name__ == "__main__":
    main()
