#!/bin/bash
# Resume of a finished job: wall time of llmbatch run, from start to exit, on an input whose lines
# are all done, against `wc -l` of the same file in the page cache: unchanged; touched (same bytes,
# new times, so that nothing can be taken for granted); after a few lines in the middle were edited;
# after all lines were shuffled.
#
# Read it as: times of wc -l. The server's own counter has to show that exactly the edited lines
# were sent and nothing else. Medians; wc and llmbatch take turns.
#
# usage: resume.sh [--items N] [--rounds N] [--edits N]
. "$(dirname "$0")/lib.sh"

items=1000000 rounds=5 edits=5
while [ $# -gt 0 ]; do
  case $1 in
    --items) items=$2; shift 2 ;;
    --rounds) rounds=$2; shift 2 ;;
    --edits) edits=$2; shift 2 ;;
    *) die "unknown argument $1" ;;
  esac
done

bench_begin
need curl curl
start_nginx short
make_items "$items" 970 >items.jsonl
served_requests
run_job items.jsonl items.db --concurrency 50
must_succeed
echo "first run: $items items, $(($(stat -c %s items.jsonl) / 1000000)) MB, $(calc "$wall" 1) s"

# compare NAME EXPECTED: wc -l, then a resume that has to send exactly EXPECTED requests. Adds to
# the array NAME.
compare() {
  local -n ratios=$1
  local reference before
  sync items.jsonl
  cat items.jsonl >/dev/null
  local walls=()
  for _ in 1 2 3; do measure wc -l items.jsonl; walls+=("$wall"); done
  reference=$(median "${walls[@]}")
  served_requests
  before=$served
  run_job items.jsonl items.db --concurrency 50
  must_succeed
  served_requests
  [ $((served - before)) = "$2" ] || die "$1: $((served - before)) requests sent, not $2"
  ratios+=("$(calc "$wall / $reference" 2)")
  echo "$1: wc -l $(calc "$reference * 1000" 0) ms, resume $(calc "$wall * 1000" 0) ms, $2 sent"
}

# Changes the prompt of some lines around the middle; the lengths change too.
edit() {
  local from=$((items / 2 + $1 * 100))
  sed -i "$from,$((from + edits - 1)) s/\"prompt\":\"/&edited in round $1: /" items.jsonl
}

unchanged=() touched=() edited=() shuffled=()
for round in $(seq "$rounds"); do compare unchanged 0; done
for round in $(seq "$rounds"); do touch items.jsonl; compare touched 0; done
for round in $(seq "$rounds"); do edit "$round"; compare edited "$edits"; done
for round in $(seq "$rounds"); do
  shuf items.jsonl >other.jsonl && mv other.jsonl items.jsonl
  compare shuffled 0
done

echo "touched: $(median "${touched[@]}") times wc -l"
goal "resume of $items done lines, unchanged, times wc -l" '<=' 1.5 "$(median "${unchanged[@]}")"
goal "resume of $items done lines, $edits edited, times wc -l" '<=' 6 "$(median "${edited[@]}")"
goal "resume of $items done lines, shuffled, times wc -l" '<=' 6 "$(median "${shuffled[@]}")"
