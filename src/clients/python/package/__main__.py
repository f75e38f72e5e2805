"""`python -m` this package is coop: the same arguments, streams and exit code."""

import os
import signal
import subprocess
import sys

from ._call import CoopNotFound, find_coop, not_runnable


def main() -> int:
    try:
        return run([find_coop(), *sys.argv[1:]])
    except CoopNotFound as error:
        print(error, file=sys.stderr)
        return error.exit_code


def run(command: list[str]) -> int:
    try:
        if os.name == "nt":
            return subprocess.call(command)
        # Python ignores this signal, and coop would inherit that.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execv(command[0], command)
    except OSError as error:
        raise not_runnable(command[0], error) from None


if __name__ == "__main__":
    sys.exit(main())
