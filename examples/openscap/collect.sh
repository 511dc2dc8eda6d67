#!/bin/sh
# Collect: run the probes of host.oval.xml, and print what they found (OVAL system characteristics, XML).
# Nothing is judged here, so tomorrow's standard can be evaluated on today's data.
#
#   collect.sh ASSET [ROOT]     ROOT: look below this folder (a mounted image, a chroot) instead of at this host
#
# Exit 0: collected. 75: unreachable, jobsd will rerun it. Anything else: failed, the last line says why.
set -eu
asset=$1
root=${2:-/}
content=$(dirname "$0")/host.oval.xml

if ! command -v oscap >/dev/null; then
    echo "oscap is not installed here. Do: apt-get install openscap-scanner (Debian), dnf install openscap-scanner (Red Hat)" >&2
    exit 1
fi
if [ ! -d "$root/etc" ]; then
    echo "$asset: there is no system below $root (no etc folder)" >&2
    exit 75
fi
[ "$root" = / ] || export OSCAP_PROBE_ROOT="$root"

# The working folder is a fresh one that jobsd removes. oscap's progress would spoil our stdout: it goes to stderr.
oscap oval collect --syschar system.xml "$content" >&2
cat system.xml
