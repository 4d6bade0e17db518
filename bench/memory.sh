#!/bin/bash
# Peak memory (VmHWM, as /usr/bin/time reports it) of llmbatch run with 50 calls in flight, for
# inputs of growing size: the first run, a resume of the unchanged file, a resume after the lines
# were shuffled, and a first run of a file that holds every line twice. Lines and answers are short
# here, so that the largest size needs little disk; memory is about numbers of items.
#
# Read it as: the largest of all figures has to stay under 32 MiB, and no first run may need more
# than 5 % above the one of the smallest input. The reference is the usual way to find out what is
# done, a set of finished ids in Python (at the largest size).
#
# usage: memory.sh [--sizes "10000 1000000"] [--full]      (--full adds 10,000,000: about 10 GB of disk)
. "$(dirname "$0")/lib.sh"

sizes="10000 1000000"
while [ $# -gt 0 ]; do
  case $1 in
    --sizes) sizes=$2; shift 2 ;;
    --full) sizes="10000 1000000 10000000"; shift ;;
    *) die "unknown argument $1" ;;
  esac
done

bench_begin
need /usr/bin/time time
need curl curl
start_nginx short

# peak INPUT DB: runs the job and sets $peak in MiB and $sent.
peak() {
  local before
  served_requests
  before=$served
  run_with_time "$llmbatch" run "$1" --db "$2" --base-url "$base_url" --model bench \
    --concurrency 50
  served_requests
  sent=$((served - before))
}

run_with_time() {
  /usr/bin/time -v -o time.out "$@" >out 2>&1 || die "$(tail -n 5 out)"
  peak=$(awk -F: '/Maximum resident/ { printf "%.2f", $2 / 1024 }' time.out)
}

expect_sent() { [ "$sent" = "$1" ] || die "$2: $sent requests sent, not $1"; }

largest=0 first='' worst=0
for size in $sizes; do
  make_items "$size" 10 >items.jsonl
  # Short runs differ from each other by half a MiB: the median of three.
  repeats=1
  if [ "$size" -le 100000 ]; then repeats=3; fi
  peaks=()
  for _ in $(seq "$repeats"); do
    rm -f items.db*
    peak items.jsonl items.db
    expect_sent "$size" "first run"
    peaks+=("$peak")
  done
  initial=$(median "${peaks[@]}")
  echo "$size items: first run $initial MiB"
  disk=$((($(stat -c %s items.jsonl) + $(du -k items.db | cut -f1) * 1024) / 1000000))
  peak items.jsonl items.db
  expect_sent 0 "unchanged resume"
  unchanged=$peak
  echo "$size items: unchanged resume $unchanged MiB"
  shuf items.jsonl >shuffled.jsonl && mv shuffled.jsonl items.jsonl
  peak items.jsonl items.db
  expect_sent 0 "resume of the shuffled file"
  shuffled=$peak
  echo "$size items: resume of the shuffled file $shuffled MiB"
  if [ "$size" = "${sizes##* }" ]; then
    run_with_time "$python" -c '
import json
done = {json.loads(line)["id"] for line in open("items.jsonl")}'
    echo "a Python set of $size ids: $peak MiB"
  fi
  rm -f items.db*
  half=$((size / 2))
  { make_items "$half" 10; make_items "$half" 10; } >items.jsonl
  peak items.jsonl items.db
  expect_sent "$half" "file with every line twice"
  rm -f items.db* items.jsonl
  echo "$size items: every line twice $peak MiB; input and database of the first run $disk MB"
  largest=$(printf '%s\n' "$largest" "$initial" "$unchanged" "$shuffled" "$peak" | sort -g | tail -n 1)
  first=${first:-$initial}
  worst=$(printf '%s\n' "$worst" "$initial" | sort -g | tail -n 1)
done

goal "peak memory up to ${sizes##* } items" '<=' 32 "$largest" MiB
goal "peak memory, first run of ${sizes##* } against ${sizes%% *}" '<=' 1.05 "$(calc "$worst / $first")" times
