#!/bin/sh
# On the host: makes the fabric's namespaces and stays until they end. TERM ends all that runs in them in good order.
# An ordinary user is root inside and nobody else. Where root starts it, all users are known inside, so that machines can
# belong to one that is nobody; capabilities are for the namespaces only, either way.
set -u
init=$(dirname "$0")/init.sh
spaces='--net --mount --pid --ipc --uts --fork --kill-child'

child=
stop() {
  trap '' TERM INT
  # unshare waits for the namespaces' init, its only child, and does not pass signals on.
  for pid in $(cat "/proc/$child/task/$child/children" 2>/dev/null); do
    kill -TERM "$pid" 2>/dev/null
  done
  wait "$child"
  exit 0
}

if [ "$(id -u)" -eq 0 ]; then
  # Where only root may open the TUN device, machines need one of their own: a node that is seen in here and nowhere else.
  # Then a user namespace whose map is written from out here.
  # shellcheck disable=SC2016
  unshare --mount sh -c '
    mount --make-rprivate / || exit 1
    if [ -c /dev/net/tun ] && mount -t tmpfs -o mode=0755 tmpfs /dev/net; then
      mknod -m 0666 /dev/net/tun c 10 200 || umount /dev/net
    fi
    exec unshare --user sh -c "
      until [ \"\$(id -u)\" -eq 0 ]; do sleep 0.01; done
      exec env SALLYPORT_ROOT=1 unshare $1 sh \"\$1\"" sh "$2"
  ' sh "$spaces" "$init" &
  child=$!
  trap stop TERM INT
  own=$(readlink /proc/$$/ns/user)
  until [ "$(readlink "/proc/$child/ns/user")" != "$own" ]; do
    kill -0 "$child" || exit 1
    sleep 0.01
  done
  echo '0 0 4294967295' >"/proc/$child/uid_map" && echo '0 0 4294967295' >"/proc/$child/gid_map" || {
    kill "$child"
    exit 1
  }
else
  # shellcheck disable=SC2086
  unshare --user --map-root-user $spaces sh "$init" &
  child=$!
  trap stop TERM INT
fi
wait "$child"
