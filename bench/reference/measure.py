"""Runs a command and prints "WALL CPU STATUS": seconds of wall clock, seconds of CPU (user and
system) of the process, and its exit status. Its output goes to the file named first."""
import os
import sys
import time

output = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
null = os.open("/dev/null", os.O_RDONLY)
actions = [
    (os.POSIX_SPAWN_DUP2, null, 0),
    (os.POSIX_SPAWN_DUP2, output, 1),
    (os.POSIX_SPAWN_DUP2, output, 2),
]
start = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, file_actions=actions)
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - start
print(f"{wall:.6f} {usage.ru_utime + usage.ru_stime:.6f} {os.waitstatus_to_exitcode(status)}")
