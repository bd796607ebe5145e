"""`python -m croody.container.renew`: sees to the site's own certificate at its start and every hour, so that a server that nobody
starts anew for a year has a good one. The authority's key is in here and in the job that prepares a start, and here is no network.
"""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from croody.container import certificate
from croody.container.prepare import AUTHORITY, TLS, hosts

#: Its age is the service's health.
LOOKED: Final = Path("/tmp/looked")
_LOOK_S: Final = 3600


def main() -> int:
    """Look until SIGTERM or SIGINT; exit status 1 and a sentence when there can be no certificate."""
    ends = (signal.SIGTERM, signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    while True:
        try:
            if certificate.ensure(TLS, AUTHORITY, hosts()):
                print("croody: made a new certificate, signed by the site's own authority, for", ", ".join(hosts()), flush=True)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            print(f"croody: {error} {getattr(error, 'stderr', '') or ''}", file=sys.stderr)
            return 1
        LOOKED.touch()
        if signal.sigtimedwait(ends, _LOOK_S) is not None:
            return 0


if __name__ == "__main__":
    sys.exit(main())
