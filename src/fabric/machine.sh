#!/bin/sh
# Inside a machine: keeps its role running. Ends only by signal, and then ends the role in good order.
# A role that dies is started again, at first at once, then after longer and longer pauses.
set -u
role=$1
if [ "$role" = application ]; then
  exec sleep infinity >/dev/null 2>&1
fi
umask 077
logs=/var/lib/sallyport/log
mkdir -p "$logs"
log=$logs/$role.log
exec >>"$log" 2>&1 </dev/null

# An agent lives beside a database: its heap is small, and without a compiler it is 11 MB smaller still. The operator speaks
# with all nodes of a cluster.
case $role in
  operator) flags='--max-old-space-size=256' ;;
  gate) flags='--max-old-space-size=128' ;;
  node) flags='--max-old-space-size=64 --jitless' ;;
  *) flags='--max-old-space-size=64' ;;
esac

rotate() {
  size=$(wc -c <"$log") || return 0
  if [ "$size" -gt 8388608 ]; then
    cp "$log" "$log.1"
    : >"$log"
  fi
}

child=
stop() {
  trap '' TERM INT
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
  [ -z "$child" ] || wait "$child"
  [ -z "$watch" ] || kill "$watch" 2>/dev/null
  exit 0
}
watch=
trap stop TERM INT

(
  trap 'exit 0' TERM
  while :; do
    sleep 60 &
    wait $!
    rotate
  done
) &
watch=$!

pause=0
while :; do
  started=$(date +%s)
  /opt/tools/node --max-semi-space-size=1 $flags /opt/sallyport/dist/server/main.js "$role" &
  child=$!
  wait "$child"
  child=
  if [ $(($(date +%s) - started)) -ge 20 ]; then
    pause=0
  fi
  if [ $pause -gt 0 ]; then
    sleep $pause &
    wait $!
  fi
  pause=$((pause * 2 + 1))
  [ $pause -le 15 ] || pause=15
done
