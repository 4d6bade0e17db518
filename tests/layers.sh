#!/usr/bin/env bash
# The house rule: a file includes only lower floors; modules on one floor never include each other;
# library headers stay at home. Prints every violation and fails on the first kind found.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A floor=([base]=0 [model]=1 [policy]=2 [port]=2 [engine]=3 [net]=3 [provider]=3 [store]=3
  [input]=3 [ui]=3 [report]=3 [sim]=3 [tokenizer]=3 [check]=3 [app]=4)
declare -A home=(['curl/']=net ['sqlite3.h']=store ['CLI/']=app ['microhttpd.h']=sim
  ['simdjson']='provider input tokenizer' ['pcre2']='tokenizer check' ['valijson']=check ['toml']=app
  ['mustache']=input ['spdlog/']='base app')

bad=0
complain() { echo "layers: $*" >&2; bad=1; }

while IFS=: read -r file _ line; do
  [[ $file =~ ^(src|include/llmbatch)/([^/]+)/ ]] && module=${BASH_REMATCH[2]}
  [ -n "${floor[$module]:-}" ] || { complain "$file: unknown module '$module'"; continue; }
  [[ $line =~ [\<\"]([^\>\"]+)[\>\"] ]] || continue
  header=${BASH_REMATCH[1]}
  if [[ $header == llmbatch/* ]]; then
    other=${header#llmbatch/}
    other=${other%%/*}
    if [ -z "${floor[$other]:-}" ]; then complain "$file includes unknown module $header"; continue; fi
    [ "$other" = "$module" ] || [ "${floor[$other]}" -lt "${floor[$module]}" ] ||
      complain "$file (floor ${floor[$module]}) includes $header (floor ${floor[$other]})"
  else
    for library in "${!home[@]}"; do
      if [[ $header == "$library"* || $header == */"$library"* ]]; then
        [[ " ${home[$library]} " == *" $module "* ]] ||
          complain "$file includes $header, which belongs in ${home[$library]}"
      fi
    done
  fi
done < <(grep -rnE '^#include' --include='*.h' --include='*.cc' src/*/ include/llmbatch/)
exit $bad
