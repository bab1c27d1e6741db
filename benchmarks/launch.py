"""Runs one command and writes what it took into a file: status, wall, processor, peak.

A process of its own, as small as Python can be, because the kernel counts the memory of a
starter into the peak of what it starts. Arguments: result file, log file, command.
"""

import os
import sys
import time


def main() -> None:
    """Run the command; what it prints goes to the log."""
    result, log, *command = sys.argv[1:]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [(os.POSIX_SPAWN_OPEN, 1, log, flags, 0o644), (os.POSIX_SPAWN_DUP2, 1, 2)]
    started = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024  # bytes per unit of ru_maxrss
    code = os.waitstatus_to_exitcode(status)
    taken = (code, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)
    written = os.open(result, flags, 0o644)
    os.write(written, " ".join(map(str, taken)).encode())
    os.close(written)


if __name__ == "__main__":
    main()
