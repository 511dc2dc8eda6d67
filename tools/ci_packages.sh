#!/bin/sh
# Install the system packages that some tests use and skip without: where that is allowed (root, apt), quietly, and
# never a reason for a build to fail.
set -u

PACKAGES="openscap-scanner"

missing=
for package in $PACKAGES; do
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q '^install ok' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "not installed, some tests will skip:$missing"
    exit 0
fi

export DEBIAN_FRONTEND=noninteractive
install() {
    # shellcheck disable=SC2086 - a list of words
    timeout 300 apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=60 $missing >/dev/null 2>&1
}
# Lists that are too old, or none at all, are the usual reason of a failure.
install || { timeout 120 apt-get update >/dev/null 2>&1; install; } || echo "could not be installed, some tests will skip:$missing"
exit 0
