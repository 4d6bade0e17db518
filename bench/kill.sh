#!/bin/bash
# What kill -9 costs: at full speed with 50 calls in flight the process is killed at a random moment,
# and the requests that the server counted are compared with the attempts in the database. The
# difference is what a resume pays for again. The reference is the number of calls in flight: that
# many are lost whatever a client does.
#
# Read it as: the worst of all kills, in calls in flight. Every kill starts from a fresh database.
#
# usage: kill.sh [--kills N] [--items N] [--in-flight N]
. "$(dirname "$0")/lib.sh"

kills=20 items=300000 in_flight=50
while [ $# -gt 0 ]; do
  case $1 in
    --kills) kills=$2; shift 2 ;;
    --items) items=$2; shift 2 ;;
    --in-flight) in_flight=$2; shift 2 ;;
    *) die "unknown argument $1" ;;
  esac
done

bench_begin
need curl curl
start_nginx long
make_items "$items" 200 >items.jsonl

attempts_of() {
  "$python" - "$1" <<'PY'
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
attempts, = database.execute("select count(*) from attempts").fetchone()
items, = database.execute("select count(*) from items where state = 3").fetchone()
assert attempts == items, (attempts, items)
print(attempts)
PY
}

# kill_once: sets $lost and $attempts, or fails when the run was over too early.
kill_once() {
  local before pid status=0
  rm -f items.db*
  served_requests
  before=$served
  "$llmbatch" run items.jsonl --db items.db --base-url "$base_url" --model bench \
    --concurrency "$in_flight" >out 2>&1 &
  pid=$!
  for _ in $(seq 500); do
    served_requests
    if [ $((served - before)) -gt 500 ]; then break; fi
    sleep 0.01
  done
  sleep "$(calc "0.1 + 1.4 * $RANDOM / 32768")"
  kill -9 "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || status=$?
  [ "$status" = 137 ] || return 1
  sleep 0.2
  served_requests
  attempts=$(attempts_of items.db)
  lost=$((served - before - attempts))
}

losses=()
while [ ${#losses[@]} -lt "$kills" ]; do
  if ! kill_once; then
    grep -q 'all .* items succeeded' out || die "$(tail -n 3 out)"
    echo "finished before the kill: once more (--items would help)"
    continue
  fi
  losses+=("$lost")
  echo "kill ${#losses[@]}: $attempts recorded, $lost served and not recorded"
done

worst=$(printf '%s\n' "${losses[@]}" | sort -g | tail -n 1)
echo "median $(median "${losses[@]}"), worst $worst of $in_flight in flight"
goal "served and not recorded after kill -9, times in flight" '<=' 2 "$(calc "$worst / $in_flight" 2)"
