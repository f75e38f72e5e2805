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


#: How often this package has run itself: a coop that is a script which runs it again would go on for ever.
DEPTH = "COOP_PYTHON_DEPTH"
MOST_DEPTH = 5


def run(command: list[str]) -> int:
    before = os.environ.get(DEPTH, "")
    depth = int(before) + 1 if before.isdigit() else 1
    if depth > MOST_DEPTH:
        raise CoopNotFound(
            f"{command[0]} runs this package again",
            exit_code=126,
            code="not_installed",
            hint="set COOP_BIN to the path of coop itself",
        )
    os.environ[DEPTH] = str(depth)
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
