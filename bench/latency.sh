#!/bin/bash
# Many slow answers in flight, which is what an LLM looks like: a server that answers each request
# after 500 ms, 1,000 calls in flight, so ideally 2,000 requests/s. h2load with as many connections
# runs beside it to show what this machine and this server can do at all.
#
# Read it as: "of the ideal" is items / (in flight / latency) divided by the time llmbatch took from
# start to exit, connecting 1,000 times and the last round included. CPU is the user and system
# time of the llmbatch process per request. Medians; the tools take turns.
#
# usage: latency.sh [--seconds N] [--rounds N] [--in-flight N] [--latency MS]
. "$(dirname "$0")/lib.sh"

seconds=30 rounds=3 in_flight=1000 latency=500
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=$2; shift 2 ;;
    --rounds) rounds=$2; shift 2 ;;
    --in-flight) in_flight=$2; shift 2 ;;
    --latency) latency=$2; shift 2 ;;
    *) die "unknown argument $1" ;;
  esac
done

bench_begin
need h2load nghttp2-client
start_delay_server "$latency" "$latency"
ulimit -n "$(ulimit -Hn)"

items=$(calc "$seconds * $in_flight * 1000 / $latency" 0)
ideal=$(calc "$items / $in_flight * $latency / 1000")
make_items "$items" 2000 >items.jsonl
head -c 2000 /dev/zero | tr '\0' x >body.txt

shares=() reference_shares=() cpus=()
for round in $(seq "$rounds"); do
  measure h2load --h1 -n "$items" -c "$in_flight" -t 1 -d body.txt "$base_url/chat/completions"
  must_succeed
  reference=$(calc "$ideal / $wall")
  rm -f items.db*
  run_job items.jsonl items.db --concurrency "$in_flight"
  must_succeed
  share=$(calc "$ideal / $wall")
  per_request=$(calc "$cpu * 1e6 / $items" 1)
  shares+=("$share") reference_shares+=("$reference") cpus+=("$per_request")
  echo "round $round: ideal $(calc "$items / $ideal" 0)/s; h2load $reference of it, llmbatch $share" \
    "of it, $per_request us CPU per request"
done

echo "h2load: $(median "${reference_shares[@]}") of the ideal;" \
  "llmbatch: $(calc "$(median "${shares[@]}") / $(median "${reference_shares[@]}")") of h2load"
goal "$latency ms, $in_flight in flight, share of the ideal rate" '>=' 0.97 "$(median "${shares[@]}")"
goal "$latency ms, $in_flight in flight, CPU per request" '<=' 100 "$(median "${cpus[@]}")" us
