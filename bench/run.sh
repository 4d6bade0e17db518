#!/bin/bash
# Runs every script of bench/ and writes the verdicts as one table (Markdown), which README.md holds.
#
# usage: run.sh [--short] [--full] [--table FILE]
#   --short  small sizes, a few minutes in all: shows that the scripts work, its figures mean little
#   --full   adds 10,000,000 items to memory.sh (about an hour, 10 GB of disk)
# Everything that the scripts print goes to stderr, the table to stdout or FILE.
. "$(dirname "$0")/lib.sh"

mode=normal table=/dev/stdout
while [ $# -gt 0 ]; do
  case $1 in
    --short) mode=short; shift ;;
    --full) mode=full; shift ;;
    --table) table=$(realpath "$2"); shift 2 ;;
    *) die "unknown argument $1" ;;
  esac
done

# A relative LLMBATCH is meant from here.
if [ -n "${LLMBATCH:-}" ]; then LLMBATCH=$(realpath "$LLMBATCH"); export LLMBATCH; fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
load=$(cut -d' ' -f1 /proc/loadavg)

run() {
  local script=$1
  shift
  echo "== $script $*" >&2
  if ! "$bench_dir/$script" "$@" 2>&1 | tee -a "$log" >&2; then
    echo "goal $script did not run to its end: missed" >>"$log"
    failed=1
  fi
}

if [ "$mode" = short ]; then
  run throughput.sh --items 5000 --rounds 1
  run throughput.sh --items 5000 --rounds 1 --tls
  run latency.sh --seconds 5 --rounds 1 --in-flight 200
  run memory.sh --sizes "2000 20000"
  run batch.sh --items 5000
  run resume.sh --items 20000 --rounds 1
  run startup.sh --rounds 5
  run kill.sh --kills 2
  run rate.sh --rates 6000 --seconds 10 --warm-up 1
  run tokens.sh --megabytes 2
else
  run throughput.sh
  run throughput.sh --tls
  run latency.sh
  if [ "$mode" = full ]; then run memory.sh --full; else run memory.sh; fi
  run batch.sh
  run resume.sh
  run startup.sh
  run kill.sh
  run rate.sh
  run tokens.sh
fi

{
  echo "Measured $(date -u +%Y-%m-%d) on $(nproc) cores ($(awk -F': ' '/^model name/ { print $2; exit }' \
    /proc/cpuinfo), $(awk '/^MemTotal/ { printf "%d GB", $2 / 1000000 }' /proc/meminfo)), Linux" \
    "$(uname -r | cut -d- -f1); load $load when it began."
  if [ "$mode" = short ]; then echo "Short sizes: start-up is most of it, the verdicts mean little."; fi
  echo
  echo "| claim | goal | measured | |"
  echo "| --- | --- | --- | --- |"
  sed -n 's/^goal \(.*\): \([<>]=.*\), measured \(.*\): \(met\|missed\)$/| \1 | \2 | \3 | \4 |/p
          s/^goal \(.*did not run to its end\): missed$/| \1 | | | missed |/p' "$log"
} >"$table"
exit "$failed"
