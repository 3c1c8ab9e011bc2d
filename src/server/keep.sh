#!/bin/sh
# keep.sh NAME RUN LOG COMMAND…
# Keeps one role running on the host: started again when it dies, with a back-off. Ends only by signal. One loop per NAME
# and folder RUN: a second one finds the lock and goes. RUN/NAME.pid holds its process id and start time.
set -u
name=$1 run=$2 log=$3
shift 3
umask 077

exec 9>"$run/$name.lock"
flock -n 9 || exit 0

# Field 22 of stat; the name in field 2 may hold blanks, so count from its closing bracket.
stat=$(cat /proc/$$/stat)
set_start() { shift 19; start=$1; }
# shellcheck disable=SC2086
set_start ${stat##*) }
printf '%s %s\n' "$$" "$start" >"$run/$name.pid.new"
mv "$run/$name.pid.new" "$run/$name.pid"

rotate() {
  if [ -f "$log" ] && [ "$(wc -c <"$log")" -gt 10485760 ]; then
    cp "$log" "$log.1" && : >"$log"
  fi
}
(
  nap=
  trap 'kill $nap 2>/dev/null; exit 0' TERM
  while kill -0 "$$" 2>/dev/null; do
    rotate
    sleep 60 &
    nap=$!
    wait "$nap"
  done
) </dev/null >/dev/null 2>&1 9>&- &
rotator=$!

child=
pause=
stop() {
  trap '' TERM INT HUP
  # Nothing of ours is left behind, a sleep included.
  kill "$rotator" $pause 2>/dev/null
  if [ -n "$child" ]; then
    kill -TERM "$child" 2>/dev/null
    wait "$child"
  fi
  rm -f "$run/$name.pid"
  exit 0
}
trap stop TERM INT
trap '' HUP

delay=1
while :; do
  began=$(date +%s)
  "$@" </dev/null >>"$log" 2>&1 9>&- &
  child=$!
  wait "$child"
  child=
  if [ $(($(date +%s) - began)) -ge 30 ]; then delay=1; fi
  sleep "$delay" 9>&- &
  pause=$!
  wait "$pause"
  pause=
  if [ "$delay" -lt 8 ]; then delay=$((delay * 2)); fi
done
