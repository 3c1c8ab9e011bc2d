#!/bin/sh
# PID 1 of the fabric's namespaces: prepares them, reaps what is orphaned, and keeps the fabric's process running.
# It must know nothing of networks or machines. On TERM it ends all in good order: databases write what they hold.
# Environment: SALLYPORT_HOME, SALLYPORT_PROGRAM, SALLYPORT_NODE.
set -u
log=$SALLYPORT_HOME/log/fabric.log
umask 077
mkdir -p "$SALLYPORT_HOME/log" "$SALLYPORT_HOME/fabric" || exit 1
exec >>"$log" 2>&1 </dev/null
umask 022

say() {
  printf '{"time":"%s","level":"%s","role":"fabric init","message":"%s"}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" "$2"
}
fail() {
  say error "$1"
  exit 1
}

if [ $$ -ne 1 ]; then
  fail 'init.sh is PID 1 of a namespace of its own, or nothing: start it by launch.sh'
fi
mount --make-rprivate / || fail 'mounts can not be made private: is this a mount namespace of our own?'
mount -t proc proc /proc || fail 'proc can not be mounted: a container may hide parts of it; run on the host, or with an unmasked /proc'
# What was in /run are the host sockets: they are not for here.
mount -t tmpfs -o mode=0755 tmpfs /run || fail 'a tmpfs can not be mounted on /run'
mkdir -m 0755 /run/netns /run/sallyport || fail '/run can not be prepared'
hostname fabric 2>/dev/null
ip link set lo up || fail 'the loopback device can not be raised: is iproute2 there?'
cd / || exit 1

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
  say info 'ending all that runs'
  if [ -n "$child" ]; then
    kill -TERM "$child" 2>/dev/null
    wait "$child"
  fi
  # Everybody in this PID namespace and those below it, and nobody else.
  kill -TERM -1 2>/dev/null
  tries=0
  while [ $tries -lt 150 ]; do
    set -- /proc/[0-9]*
    [ $# -gt 1 ] || break
    sleep 0.1 &
    wait $!
    tries=$((tries + 1))
  done
  exit 0
}
trap stop TERM INT

pause=0
while :; do
  rotate
  started=$(date +%s)
  "$SALLYPORT_NODE" --max-semi-space-size=1 "$SALLYPORT_PROGRAM/dist/server/main.js" fabric &
  child=$!
  wait "$child"
  say warn "the fabric process ended with $?"
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
