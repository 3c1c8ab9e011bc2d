#!/bin/sh
# mark.sh PIDFILE COMMAND…
# Writes this process's id and start time to PIDFILE, then becomes COMMAND: whoever looks later knows it from another
# process that got the same id.
set -eu
umask 077
file=$1
shift
stat=$(cat /proc/$$/stat)
start_of() { shift 19; printf '%s' "$1"; }
# The name in field 2 may hold blanks: count from its closing bracket.
# shellcheck disable=SC2086
printf '%s %s\n' "$$" "$(start_of ${stat##*) })" >"$file.new"
mv "$file.new" "$file"
exec "$@"
