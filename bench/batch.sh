#!/bin/bash
# Provider batches against real time, the same items and the same server (llmbatch simulate): peak memory
# (VmHWM, as /usr/bin/time reports it), CPU time, and the server's count of what was paid for.
#
# Read it as: a run through batches may need no more memory than the run in real time beside it,
# however large its request and result files are, and every item is answered once.
#
# usage: batch.sh [--items N]
. "$(dirname "$0")/lib.sh"

items=100000
while [ $# -gt 0 ]; do
  case $1 in
    --items) items=$2; shift 2 ;;
    *) die "unknown argument $1" ;;
  esac
done

bench_begin
need /usr/bin/time time
need curl curl

# start_simulator: a new one, with its URL in $base_url.
start_simulator() {
  rm -f simulator.out
  "$llmbatch" simulate --batch-latency 2s >simulator.out 2>/dev/null &
  bench_pids+=($!)
  for _ in $(seq 200); do
    base_url=$(head -n 1 simulator.out 2>/dev/null || true)
    [ -z "$base_url" ] || return 0
    sleep 0.05
  done
  die "the simulator did not start"
}

# counter NAME: of the simulator.
counter() { curl -s "${base_url%/v1}/stats" | grep -o "\"$1\":[0-9]*" | cut -d: -f2; }

# measure DB FLAG...: sets $peak (MiB) and $cpu (seconds).
measure() {
  /usr/bin/time -v -o time.out "$llmbatch" run items.jsonl --db "$1" --base-url "$base_url" \
    --model bench "${@:2}" >out 2>&1 || die "$(tail -n 5 out)"
  peak=$(awk -F: '/Maximum resident/ { printf "%.2f", $2 / 1024 }' time.out)
  cpu=$(awk -F: '/(User|System) time/ { sum += $2 } END { printf "%.2f", sum }' time.out)
}

make_items "$items" 500 >items.jsonl
peaks_batch=() peaks_realtime=()
for _ in 1 2 3; do
  start_simulator
  rm -f batch.db* realtime.db*
  measure batch.db --via batch --poll-interval 1
  peaks_batch+=("$peak")
  answered=$(counter batch_lines_answered)
  again=$(counter answered_again)
  [ "$answered" = "$items" ] && [ "$again" = 0 ] || die "$answered answers, $again of them again"
  echo "$items items through batches: $peak MiB, $cpu s of CPU," \
    "files of $(($(stat -c %s items.jsonl) / 1000000)) MB and more"
  measure realtime.db
  peaks_realtime+=("$peak")
  echo "$items items in real time: $peak MiB, $cpu s of CPU"
done
goal "peak memory of $items items through batches, against real time" '<=' 1.00 \
  "$(calc "$(median "${peaks_batch[@]}") / $(median "${peaks_realtime[@]}")")" times
