"""`./dev gates`: exit code 1, with each finding on a line of its own, if a gate is shut."""

from __future__ import annotations

import sys

from tests.gates.rules import too_long, unclean


def main() -> int:
    findings = [*too_long(), *unclean()]
    for finding in findings:
        print(finding)
    print(f"gates: {len(findings)} finding(s)" if findings else "gates: open", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
