#!/usr/bin/env bash
# Whether the clouds have the same modules and environments, with the same variables of the same types and the same outputs.
# What differs stands in `differences`, with its reason.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Variables and outputs of a directory, a line each. Files are formatted, so that a type is the line that begins with it.
interface() {
  cat "$2"/*.tf | awk -v where="${2#*/}" '
    $1 == "variable" || $1 == "output" { kind = $1; name = $2; gsub(/"/, "", name); type = "-" }
    kind == "variable" && $1 == "type" { type = $0; sub(/^[^=]*= */, "", type); gsub(/ /, "", type) }
    kind != "" && $0 == "}" { print where, kind, name, type; kind = "" }
  ' | sort >"$1"
}

complaints=0
complain() {
  echo "$*" >&2
  complaints=$((complaints + 1))
}

for cloud in aws gcp; do
  (cd "$cloud" && find . -mindepth 1 -maxdepth 2 -type d ! -name '.*' ! -path '*/tests' | sort) >"$work/$cloud.dirs"
done
diff "$work/aws.dirs" "$work/gcp.dirs" >&2 || complain "the clouds have not the same modules and environments"

: >"$work/found"
for dir in modules/platform environments/production environments/staging; do
  interface "$work/aws" "aws/$dir"
  interface "$work/gcp" "gcp/$dir"
  comm -23 "$work/aws" "$work/gcp" | sed 's/^/aws /' >>"$work/found"
  comm -13 "$work/aws" "$work/gcp" | sed 's/^/gcp /' >>"$work/found"
done

while read -r cloud where kind name type; do
  grep -q "^$cloud $where $kind $name [^ ]" differences ||
    complain "$cloud/$where: $kind $name ($type) is not so in the other cloud; differences has no reason for it"
done <"$work/found"
while read -r cloud where kind name _; do
  grep -q "^$cloud $where $kind $name " "$work/found" ||
    complain "differences: $cloud $where $kind $name is none any more"
done < <(grep -v '^#' differences)

[ "$complaints" -eq 0 ] || exit 1
echo "the clouds have the same interface, but for $(wc -l <"$work/found") differences with reasons"
