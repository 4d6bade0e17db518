"""Judges a server's log of requests against a limit per minute.
Usage: rate_windows.py LOG RPM MODE WARM_UP_SECONDS

A line is "END DURATION STATUS" in seconds; a request arrived at END - DURATION. Prints key=value:
requests, refused (429), seconds (first to last arrival), worst (requests in the fullest 60 s
window), worst_share (of the limit), used (share of the limit from the end of the warm-up to the last
arrival; in mode "kill" of each of the two runs, which the longest gap separates), first_second."""
import bisect
import sys

path, limit, mode, warm_up = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
arrivals = []
refused = 0
with open(path, encoding="ascii") as lines:
    for line in lines:
        end, duration, status = line.split()
        arrivals.append(round(float(end) - float(duration), 3))
        refused += status == "429"
arrivals.sort()
if len(arrivals) < 2:
    sys.exit("no requests in the log")

worst = 0
for index, start in enumerate(arrivals):
    worst = max(worst, bisect.bisect_left(arrivals, start + 60) - index)

# Each start of the client has its warm-up.
parts = [arrivals]
if mode == "kill":
    gap = max(range(1, len(arrivals)), key=lambda index: arrivals[index] - arrivals[index - 1])
    parts = [arrivals[:gap], arrivals[gap:]]
count = 0
span = 0.0
for part in parts:
    steady = part[bisect.bisect_left(part, part[0] + warm_up):]
    count += max(len(steady) - 1, 0)
    span += steady[-1] - steady[0] if steady else 0
used = count / (span * limit / 60) if span > 0 else 0
first_second = bisect.bisect_left(arrivals, arrivals[0] + 1)
print(f"requests={len(arrivals)} refused={refused} seconds={arrivals[-1] - arrivals[0]:.1f} "
      f"worst={worst} worst_share={worst / limit:.4f} used={used:.4f} first_second={first_second}")
