"""`python -m croody.operations.renew`: looks after the site's own certificate at its start and every hour, so that a server that
runs for a year has a good one. Only this service and the job that prepares a start have the authority's key; this one has no network.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from croody.operations import certificate
from croody.operations.prepare import AUTHORITY, TLS, hosts

#: Its age is the service's health.
ALIVE: Final = Path("/tmp/alive")
_LOOK_S: Final = 3600
_BEAT_S: Final = 60
#: A clock that was set, or a machine that slept: the certificate is judged again at once.
_JUMP_S: Final = 300


def main() -> int:
    """Look until SIGTERM or SIGINT; exit status 1 and a sentence when there can be no certificate."""
    ends = (signal.SIGTERM, signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    looked = -float("inf")
    while True:
        try:
            if abs(time.time() - looked) >= _LOOK_S:
                look()
                looked = time.time()
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            print(f"croody: {error} {getattr(error, 'stderr', '') or ''}", file=sys.stderr)
            return 1
        ALIVE.touch()
        before = time.time()
        if signal.sigtimedwait(ends, _BEAT_S) is not None:
            return 0
        if abs(time.time() - before - _BEAT_S) > _JUMP_S:
            looked = -float("inf")


def look() -> None:
    """Make a new one where it is due. While only one of the two files is there, somebody is about to put a pair in its place."""
    if (TLS / certificate.CHAIN).exists() == (TLS / certificate.KEY).exists() and certificate.ensure(TLS, AUTHORITY, hosts()):
        print("croody: made a new certificate, signed by the site's own authority, for", ", ".join(hosts()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
