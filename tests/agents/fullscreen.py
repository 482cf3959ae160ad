"""A program that draws on the whole screen, as an editor or an agent's surface does. Each line that it is sent:

put ROW TEXT    write there, in colour
box             draw a dialog over the middle, by the terminal's line-drawing set
unbox           draw everything anew, without it
link            a hyperlink, a title, the clipboard: what must not come through to a viewer
end STATUS      leave the alternate screen and end
"""

import sys


def main() -> None:
    with open("/proc/self/comm", "w") as comm:
        comm.write("fullscreen")
    rows: dict[int, str] = {0: "fullscreen is ready"}
    out = sys.stdout
    out.write("\x1b[?1049h\x1b[2J")
    draw(rows)
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "put":
            row, _, text = rest.partition(" ")
            rows[int(row)] = text
            draw(rows)
        elif word == "box":
            out.write(
                "\x1b[10;10H\x1b(0lqqqk\x1b(B\x1b[11;10H\x1b(0x\x1b(BYes\x1b(0x\x1b(B\x1b[12;10H\x1b(0mqqqj\x1b(B"
            )
        elif word == "unbox":
            draw(rows)
        elif word == "link":
            out.write("\x1b[20;1H\x1b]8;;file:///etc/passwd\x1b\\named\x1b]8;;\x1b\\")
            out.write(" \x1b]2;owned\x07\x1b]52;c;b3duZWQ=\x07done")
        elif word == "end":
            out.write("\x1b[?1049l")
            out.flush()
            sys.exit(int(rest))
        out.flush()


def draw(rows: dict[int, str]) -> None:
    sys.stdout.write("\x1b[2J")
    for row, text in rows.items():
        sys.stdout.write(f"\x1b[{row + 1};1H\x1b[1;3{row % 8}m{text}\x1b[0m")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
