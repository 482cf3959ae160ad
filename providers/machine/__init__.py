"""The real host behind the `Host` protocol: one look at everything, and the steps carried out.

Imports `screen`, `program_fault`, `steps`, `host`, `base`, `launch`, `filesystem`, `processes`, `systemd`, `tmux`; and
from `specs`. Read `local_host.py` first.
"""
