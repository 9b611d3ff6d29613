#!/usr/bin/env bash
# Run by the image of PostgreSQL at its first start: a role and a database for each service.
set -euo pipefail
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres --file /run/stoa/postgres/databases.sql
