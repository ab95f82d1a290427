"""Run a command several times at once: ``several.py 2 COMMAND...``, where ``{index}`` is 0, 1 and so on.

Ends them all when it is told to, or when one of them has ended.
"""

import signal
import subprocess
import sys
import time


def main() -> int:
    count, command = int(sys.argv[1]), sys.argv[2:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    started = [subprocess.Popen([word.replace("{index}", str(index)) for word in command]) for index in range(count)]
    try:
        while all(process.poll() is None for process in started):
            time.sleep(0.2)
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()
    return next(process.returncode for process in started if process.returncode is not None)


if __name__ == "__main__":
    sys.exit(main())
