#!/bin/bash
# Start-up: one item, from starting the process to its end, durable (new database, preflight,
# request, commit with fsync), against curl sending the same request and storing the answer nowhere.
# Both go to the same nginx.
#
# Read it as: times of curl. Medians over many repetitions; the tools take turns.
#
# usage: startup.sh [--rounds N]
. "$(dirname "$0")/lib.sh"

rounds=100
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2; shift 2 ;;
    *) die "unknown argument $1" ;;
  esac
done

bench_begin
need curl curl
start_nginx long
make_items 1 2000 >items.jsonl
printf '{"model":"bench","messages":[{"role":"user","content":"%s"}]}' \
  "$(head -c 2000 /dev/zero | tr '\0' x)" >body.json

curl_walls=() walls=()
for round in $(seq "$rounds"); do
  measure curl -sS --fail -H 'content-type: application/json' --data-binary @body.json \
    "$base_url/chat/completions"
  must_succeed
  curl_walls+=("$wall")
  run_job items.jsonl "$round.db"
  must_succeed
  walls+=("$wall")
  rm -f "$round.db"*
done

reference=$(median "${curl_walls[@]}") own=$(median "${walls[@]}")
echo "curl $(calc "$reference * 1000" 1) ms, llmbatch $(calc "$own * 1000" 1) ms"
goal "start-up and one durable item, times curl" '<=' 2 "$(calc "$own / $reference" 2)"
