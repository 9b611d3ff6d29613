#!/usr/bin/env bash
# The drill: dumps the database of every service, restores each beside the original, compares every table of the two row by row,
# and lets the service itself say that the schema is whole. Nothing that runs is touched; what was restored is dropped again.
#
#   STOA_DRILL_URL   postgres://superuser:password@host:port; without it the PostgreSQL of `make up`
#   STOA_DRILL_DIR   where the dumps go and stay; without it they go with the drill
#   STOA_BIN_DIR     where the services' programs are
set -euo pipefail
cd "$(dirname "$0")/../.."

services=(identity catalog inventory orders payments notifications)
bin=${STOA_BIN_DIR:-${CARGO_TARGET_DIR:-$HOME/.cache/stoa/target}/debug}
url=${STOA_DRILL_URL:-}
if [ -z "$url" ]; then
  [ -f .stoa/secrets/postgres ] || { echo "no STOA_DRILL_URL, and \`make up\` has made nothing here" >&2; exit 1; }
  url="postgres://postgres:$(cat .stoa/secrets/postgres)@127.0.0.1:15432"
fi
tools=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
PATH=$PATH:$tools
command -v pg_dump >/dev/null || { echo "pg_dump is missing: apt-get install postgresql-client" >&2; exit 1; }

dir=${STOA_DRILL_DIR:-}
if [ -z "$dir" ]; then
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
fi
export PGOPTIONS="--client-min-messages=warning"
mkdir -p "$dir"
chmod 700 "$dir"
ask() { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 "$@"; }

# A line for every table: its name, how many rows it has, and a digest of them all.
contents() {
  local table
  ask "$1" -c "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1" |
    while read -r table; do
      ask "$1" -c "select '$table', count(*), md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) from $table t"
    done
}

# What a service must be told to look at its schema and at nothing else.
whole() {
  env -i DATABASE_URL="$2" DATABASE_MIGRATIONS=only STARTUP_DEADLINE_SECONDS=5 LOG_FORMAT=json MESH_TLS=istio \
    AMQP_URL=amqp://nobody:nothing@127.0.0.1:9/none SMTP_URL=smtp://127.0.0.1:9 SEALING_KEYS=drill:0123456789abcdef0123456789abcdef \
    SANDBOX_URL=http://127.0.0.1:9 SANDBOX_API_KEY=none SANDBOX_WEBHOOK_SECRET=none \
    CART_URL=http://127.0.0.1:9 CATALOG_URL=http://127.0.0.1:9 IDENTITY_URL=http://127.0.0.1:9 INVENTORY_URL=http://127.0.0.1:9 \
    ORDERS_URL=http://127.0.0.1:9 PAYMENTS_URL=http://127.0.0.1:9 NOTIFICATIONS_URL=http://127.0.0.1:9 \
    "$bin/$1" >/dev/null
}

began=$SECONDS
# All dumps first, close together: what services know of each other is as close as these moments are.
for service in "${services[@]}"; do
  # One snapshot for the dump and for what it is compared with, though the service goes on writing.
  coproc psql --no-psqlrc --quiet --tuples-only --no-align "$url/$service"
  echo "begin isolation level repeatable read read only; select pg_export_snapshot();" >&"${COPROC[1]}"
  read -r snapshot <&"${COPROC[0]}"
  pg_dump --format=custom --no-owner --no-privileges --snapshot="$snapshot" --file="$dir/$service.dump" "$url/$service"
  tables=$(ask "$url/$service" -c "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1")
  for table in $tables; do
    echo "select '$table', count(*), md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) from $table t;" >&"${COPROC[1]}"
    read -r line <&"${COPROC[0]}"
    echo "$line"
  done >"$dir/$service.before"
  echo "\\q" >&"${COPROC[1]}"
  wait "$COPROC_PID" || true
done
dumped=$((SECONDS - began))

began=$SECONDS
for service in "${services[@]}"; do
  copy=drill_$service
  ask "$url/postgres" -c "drop database if exists $copy with (force)" -c "create database $copy"
  pg_restore --exit-on-error --no-owner --no-privileges --dbname="$url/$copy" "$dir/$service.dump"
  contents "$url/$copy" >"$dir/$service.after"
  diff "$dir/$service.before" "$dir/$service.after" || { echo "$service: what was restored differs" >&2; exit 1; }
  whole "$service" "$url/$copy"
  diff "$dir/$service.after" <(contents "$url/$copy") >/dev/null || { echo "$service: its schema was not whole" >&2; exit 1; }
  ask "$url/postgres" -c "drop database $copy with (force)"
  echo "$service: $(wc -l <"$dir/$service.before") tables, $(awk -F'|' '{n += $2} END {print n}' "$dir/$service.before") rows, $(stat -c %s "$dir/$service.dump") bytes: restored, the same, its schema is whole"
done
echo "${#services[@]} databases: dumped in $dumped s, restored and compared in $((SECONDS - began)) s"
