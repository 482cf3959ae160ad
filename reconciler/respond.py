"""`python -m reconciler.respond FLEET_FOLDER UNIT_FILE`: systemd starts the responder this way.

The unit files on hosts have this name in them, so it stays where it is; the program is `reconciler/responder/serve.py`.
"""

import os
import sys

from reconciler.responder.serve import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
