#!/bin/bash
# Boot a throw-away systemd: PID 1 of new namespaces, on an overlay of this machine's own root. No nspawn, no image.
#
#   boot.sh WORK TREE [SOURCE:TARGET...]
#
# WORK is an empty folder for the overlay. TREE is copied over the new root; the units in TREE/etc/systemd/system are
# enabled, the host's own are not. Each SOURCE folder is bound, read-only, to TARGET in the new root. Prints the
# leader's pid as `leader PID`, then stays until it ends; TERM ends it. Leaves no process, mount or control group behind.
set -euo pipefail
export W=$1 TREE=$2; shift 2; export BINDS="$*"

hierarchy=/sys/fs/cgroup; [ -d $hierarchy/unified ] && hierarchy=$hierarchy/unified
before=$hierarchy$(sed -n 's/^0:://p' /proc/self/cgroup)
group=$hierarchy/jobsd-boot-$$
mkdir "$group"
child=
finish() {
    exec 2>/dev/null   # bash would announce the kill
    [ -z "$child" ] || kill -KILL "$child" 2>/dev/null || true   # its PID 1 dies with it, and all else with that
    echo $$ >"$before/cgroup.procs"
    for _ in $(seq 100); do   # processes that were killed take a moment to be gone
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
        [ -d "$group" ] || break
        sleep 0.05
    done
}
trap finish EXIT
trap 'exit 0' TERM INT
echo $$ >"$group/cgroup.procs"

unshare --mount --pid --fork --net --uts --ipc --cgroup --kill-child --propagation private bash -euc '
  mount -t tmpfs -o mode=755 tmpfs $W; mkdir $W/up $W/wk $W/new
  mount -t overlay overlay -o lowerdir=/,upperdir=$W/up,workdir=$W/wk $W/new
  R=$W/new
  mount -t tmpfs -o mode=755 tmpfs $R/etc/systemd/system; mkdir $R/etc/systemd/system/multi-user.target.wants
  cp -a $TREE/. $R/
  for u in $R/etc/systemd/system/*.service; do ln -s ../${u##*/} $R/etc/systemd/system/multi-user.target.wants/; done
  for m in systemd-timesyncd systemd-udevd systemd-networkd systemd-resolved systemd-logind console-getty getty@; do
      ln -s /dev/null $R/etc/systemd/system/$m.service
  done
  for b in $BINDS; do
      mkdir -p $R/${b#*:}; mount --bind ${b%%:*} $R/${b#*:}; mount -o remount,bind,ro $R/${b#*:}
  done
  mount -t proc proc $R/proc
  mount -t sysfs -o ro sysfs $R/sys 2>/dev/null || mount --rbind /sys $R/sys
  mount -t cgroup2 cgroup2 $R/sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs $R/dev; mkdir $R/dev/pts $R/dev/shm $R/dev/mqueue
  for d in null zero full random urandom tty; do touch $R/dev/$d; mount --bind /dev/$d $R/dev/$d; done
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts $R/dev/pts; ln -s pts/ptmx $R/dev/ptmx
  mount -t mqueue mqueue $R/dev/mqueue
  ln -s /proc/self/fd $R/dev/fd; for n in 0:stdin 1:stdout 2:stderr; do ln -s /proc/self/fd/${n%:*} $R/dev/${n#*:}; done
  mount -t tmpfs -o mode=755 tmpfs $R/run; mount -t tmpfs -o mode=1777 tmpfs $R/tmp
  mount -t tmpfs tmpfs $R/var/log; mkdir $R/var/log/journal; : >$R/etc/machine-id
  ip link set lo up 2>/dev/null || true
  cd $R; mkdir -p old; pivot_root . old; umount -l /old; mount --make-rshared /
  exec env -i container=jobsd-boot PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system \
      --unit=multi-user.target --log-target=journal-or-kmsg --log-level=info --show-status=false
' &
child=$!
for _ in $(seq 100); do
    leader=$(cat "/proc/$child/task/$child/children" 2>/dev/null || true)
    [ -z "$leader" ] || break
    sleep 0.05
done
echo "leader ${leader:-none}"
wait "$child" || true
