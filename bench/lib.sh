# shellcheck shell=bash disable=SC2034 # the variables are for the scripts
# Shared by the scripts of bench/: the binary, a directory of its own, servers that end with the
# script, repeated measurements and the verdict line. Source it, then call bench_begin.
#
# LLMBATCH     the binary (default: build/release/llmbatch)
# BENCH_TMP    where the temporary directory is made (default: /var/tmp, which is a disk and not
#              memory: an fsync has to cost what it costs)
# BENCH_KEEP   1 keeps the temporary directory
# BENCH_CHECK  1 makes a missed goal the exit status 1
set -euo pipefail

bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=/usr/bin/python3  # Debian's, which sees the python3-* packages
bench_pids=()
bench_missed=0

die() { echo "${0##*/}: $*" >&2; exit 1; }

# need COMMAND PACKAGE: installs PACKAGE where COMMAND is missing.
need() {
  command -v "$1" >/dev/null || install_package "$2"
}

install_package() {
  echo "installing $1" >&2
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    "$1" >/dev/null 2>&1 ||
    { "${as_root[@]}" apt-get update >/dev/null &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y \
        --no-install-recommends "$1" >/dev/null; } || die "cannot install $1"
}

# bench_begin: call it after the arguments are parsed.
bench_begin() {
  llmbatch=${LLMBATCH:-$bench_dir/../build/release/llmbatch}
  [ -x "$llmbatch" ] || die "$llmbatch is not there: build it (cmake --preset release && cmake" \
    "--build --preset release) or set LLMBATCH"
  llmbatch=$(realpath "$llmbatch")
  need "$python" python3
  work=$(mktemp -d "${BENCH_TMP:-/var/tmp}/llmbatch-bench.XXXXXX")
  trap bench_end EXIT
  trap 'exit 130' INT TERM
  cd "$work"
  # Settings of the user must not change what is measured.
  local name
  for name in $(compgen -e | grep -E '^LLMBATCH_' || true); do unset "$name"; done
  export XDG_CONFIG_HOME=$work/config no_proxy='*' NO_PROXY='*'
  echo "# ${0##*/} $(date -u +%Y-%m-%dT%H:%MZ), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
}

bench_end() {
  local status=$? pid
  for pid in "${bench_pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${bench_pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  cd /
  if [ "${BENCH_KEEP:-0}" = 1 ]; then echo "kept $work"; else rm -rf "$work"; fi
  if [ "$status" = 0 ] && [ "$bench_missed" = 1 ] && [ "${BENCH_CHECK:-0}" = 1 ]; then exit 1; fi
}

# start COMMAND...: runs it until the script ends; its pid is in $started.
start() {
  "$@" >>"$work/servers.log" 2>&1 &
  started=$!
  bench_pids+=("$started")
}

# stop PID: ends something that start began.
stop() {
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

free_port() {
  "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_for_port() {
  for _ in $(seq 200); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return 0; fi
    sleep 0.02
  done
  die "nothing listens on port $1: $(tail -n 3 "$work/servers.log")"
}

# A chat completion of 740 bytes, or of about 320 with "short".
completion() {
  local text
  if [ "${1:-long}" = short ]; then text=ok; else text=$(printf 'billing %.0s' $(seq 53)); fi
  printf '%s' '{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o-mini",' \
    '"choices":[{"index":0,"message":{"role":"assistant","content":"' "$text" '"},"logprobs":null,' \
    '"finish_reason":"stop"}],"usage":{"prompt_tokens":500,"completion_tokens":100,' \
    '"total_tokens":600},"system_fingerprint":"fp_44709d6fcb_0123456789abcdef01"}'
}

# start_nginx long|short [tls]: one worker that answers every POST with a static completion.
# Sets $port, $base_url and $nginx_pid; served_requests reads its counter.
start_nginx() {
  need nginx nginx-light
  local listen='' scheme=http
  port=$(free_port)
  if [ "${2:-}" = tls ]; then
    need openssl openssl
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" \
      -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
    listen=" ssl; ssl_certificate $work/cert.pem; ssl_certificate_key $work/key.pem; ssl_protocols TLSv1.3"
    scheme=https
  fi
  nginx_config "
    server {
      listen 127.0.0.1:$port backlog=4096$listen;
      location / { return 200 '$(completion "$1")'; }
      location = /served { stub_status; }
    }"
  base_url=$scheme://127.0.0.1:$port/v1
  run_nginx
}

# nginx_config SERVERS: writes nginx.conf around the given server blocks.
nginx_config() {
  local user='' part paths=''
  [ "$(id -u)" = 0 ] && user='user root;'
  for part in client_body proxy fastcgi uwsgi scgi; do
    mkdir -p "$work/nginx"
    paths+="${part}_temp_path $work/nginx/$part; "
  done
  cat >"$work/nginx.conf" <<CONF
$user worker_processes 1; daemon off; pid $work/nginx.pid; error_log $work/nginx.err;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
  $paths
  access_log off; default_type application/json;
  keepalive_requests 1000000000; keepalive_timeout 600;
  client_body_buffer_size 16k; client_max_body_size 16m;
  $1
}
CONF
}

run_nginx() {
  start nginx -e "$work/nginx.err" -c "$work/nginx.conf"
  nginx_pid=$started
  wait_for_port "$port"
}

# Requests that nginx took since it started. Reading the counter is a request too: it is left out.
served_reads=0
served_requests() {
  served_reads=$((served_reads + 1))
  served=$(curl -ksS "${base_url%/v1}/served" | awk 'NR == 3 { print $3 }')
  served=$((served - served_reads))
}

# make_items COUNT PROMPT_BYTES [PREFIX]: JSONL on stdout, {"id","prompt"} lines.
make_items() {
  "$python" - "$@" <<'PY'
import sys
count, size = int(sys.argv[1]), int(sys.argv[2])
prefix = sys.argv[3] if len(sys.argv) > 3 else "t"
text = "The parcel has not arrived yet and the customer asks when the refund will be paid. "
text = (text * (size // len(text) + 1))[:size]
for start in range(1, count + 1, 1000):
    stop = min(start + 1000, count + 1)
    sys.stdout.write("".join(
        f'{{"id":"{prefix}-{i}","prompt":"{i} {text}"}}\n' for i in range(start, stop)))
PY
}

# measure COMMAND...: runs it with its output in $work/out and sets $wall, $cpu (seconds) and
# $status. Used for everything that is compared, so that both sides pay for the same start.
measure() {
  read -r wall cpu status < <("$python" "$bench_dir/reference/measure.py" "$work/out" "$@")
}

# must_succeed: the last measured command has to have exited 0.
must_succeed() {
  [ "$status" = 0 ] || die "exit status $status of the measured command: $(tail -n 5 "$work/out")"
}

# run_job INPUT DB [OPTIONS]: the llmbatch command that all scripts measure; defaults stay on.
run_job() {
  local input=$1 db=$2
  shift 2
  measure "$llmbatch" run "$input" --db "$db" --base-url "$base_url" --model bench "$@"
}

calc() { awk "BEGIN { printf \"%.${2:-3}f\", $1 }"; }

median() {
  printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 }
    END { if (NR % 2) print v[(NR + 1) / 2]; else print (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# goal NAME OPERATOR BOUND MEASURED [UNIT]: the verdict line, which run.sh collects.
goal() {
  local verdict=missed
  if awk "BEGIN { exit !($4 $2 $3) }"; then verdict=met; else bench_missed=1; fi
  printf 'goal %s: %s %s%s, measured %s%s: %s\n' "$1" "$2" "$3" "${5:+ $5}" "$4" "${5:+ $5}" "$verdict"
}

# compile SOURCE OUTPUT [OPTIONS]: a helper program of bench/reference.
compile() {
  local compiler=g++
  case $1 in *.c) compiler=gcc ;; esac
  need "$compiler" "$compiler"
  "$compiler" -O2 "${@:3}" -o "$2" "$bench_dir/reference/$1"
}

# start_delay_server MIN_MS MAX_MS: answers after a while; sets $port and $base_url.
start_delay_server() {
  compile delay_server.cc "$work/delay_server" -std=c++20
  completion >"$work/completion.json"
  port=$(free_port)
  start "$work/delay_server" "$port" "$1" "$2" "$work/completion.json"
  wait_for_port "$port"
  base_url=http://127.0.0.1:$port/v1
}
