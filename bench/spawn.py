"""Start one program, wait for it, write down what it used. Run by path, in a small interpreter:

    python -I -S bench/spawn.py RESULT COMMAND [ARGUMENT ...]

A process's ru_maxrss starts with the peak of the one that forked it (exec(2) hands it on), so what
starts the program under measurement must be smaller than the program. This file imports nothing.
"""

import os
import sys
import time


def main() -> None:
    """RESULT gets: wait status, user + sys seconds, wall seconds, peak RSS in KiB."""
    result, *command = sys.argv[1:]
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    cpu = used.ru_utime + used.ru_stime
    with open(result, "w", encoding="ascii") as file:
        file.write(f"{status} {cpu} {wall} {used.ru_maxrss}\n")


if __name__ == "__main__":
    main()
