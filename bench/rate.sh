#!/bin/bash
# Rate fidelity: llmbatch run --rpm N for 130 s against nginx with limit_req (same rate, burst=2,
# nodelay) as a strict referee that refuses with 429, and nginx's own log as the witness. Behind
# the referee a server answers after 150 to 250 ms. Each rate is driven in four ways:
#   plain   one run
#   kill    kill -9 in the middle, then the same command again: windows are counted across both
#   slow    every fsync takes 30 ms longer (a preloaded shim)
#   naive   the reference: the usual hand-written limiter, a token bucket that starts full
#
# Read it as: the fullest window of 60 s may hold as many requests as the limit and not one more;
# used is the share of the limit after a warm-up of 5 s of each run;
# refused is the number of 429s; first second shows a burst at the start.
#
# usage: rate.sh [--rates "500 6000"] [--seconds N] [--warm-up N] [--ways "plain kill slow naive"]
. "$(dirname "$0")/lib.sh"

rates="500 6000" seconds=130 warm_up=5 ways="plain kill slow naive"
while [ $# -gt 0 ]; do
  case $1 in
    --rates) rates=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --warm-up) warm_up=$2; shift 2 ;;
    --ways) ways=$2; shift 2 ;;
    *) die "unknown argument $1" ;;
  esac
done

bench_begin
need nginx nginx-light
need curl curl
"$python" -c 'import aiohttp' 2>/dev/null || install_package python3-aiohttp
compile slow_fsync.c "$work/slow_fsync.so" -shared -fPIC
start_delay_server 150 250
backend_port=$port

# start_referee RPM: nginx in front of the delay server; its log is access.log.
start_referee() {
  port=$(free_port)
  rm -f access.log
  nginx_config "
    log_format arrivals '\$msec \$request_time \$status';
    limit_req_zone \$server_name zone=referee:1m rate=$1r/m;
    limit_req_status 429;
    upstream backend { server 127.0.0.1:$backend_port; keepalive 1000; }
    server {
      listen 127.0.0.1:$port backlog=4096;
      location / {
        access_log $work/access.log arrivals;
        limit_req zone=referee burst=2 nodelay;
        proxy_http_version 1.1; proxy_set_header Connection '';
        proxy_pass http://backend;
      }
    }"
  base_url=http://127.0.0.1:$port/v1
  run_nginx
}

job() {
  "$@" "$llmbatch" run items.jsonl --db items.db --base-url "$base_url" --model bench \
    --rpm "$rate" >out 2>&1
}

drive_plain() { job env || die "$(tail -n 5 out)"; }

drive_slow() { job env LD_PRELOAD="$work/slow_fsync.so" || die "$(tail -n 5 out)"; }

drive_kill() {
  "$llmbatch" run items.jsonl --db items.db --base-url "$base_url" --model bench --rpm "$rate" \
    >out 2>&1 &
  local pid=$!
  sleep "$((seconds / 2))"
  kill -9 "$pid"
  wait "$pid" 2>/dev/null || true
  drive_plain
}

drive_naive() {
  "$python" "$bench_dir/reference/naive_limiter.py" items.jsonl "$base_url" "$rate" 50 >out 2>&1 ||
    die "$(tail -n 5 out)"
}

for rate in $rates; do
  make_items "$((rate * seconds / 60))" 1000 >items.jsonl
  for way in $ways; do
    rm -f items.db*
    start_referee "$rate"
    "drive_$way"
    sleep 0.3
    stop "$nginx_pid"
    result=$("$python" "$bench_dir/reference/rate_windows.py" access.log "$rate" "$way" "$warm_up")
    echo "$rate rpm, $way: $result"
    if [ "$way" = naive ]; then continue; fi
    declare -A judged=()
    for pair in $result; do judged[${pair%%=*}]=${pair#*=}; done
    least=0.995
    if [ "$rate" -lt 1000 ]; then least=0.99; fi
    goal "$rate rpm, $way, fullest 60 s" '<=' "$rate" "${judged[worst]}" requests
    goal "$rate rpm, $way, used" '>=' "$least" "${judged[used]}"
    goal "$rate rpm, $way, refused by the referee" '<=' 0 "${judged[refused]}"
  done
done
