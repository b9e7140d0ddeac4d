#!/bin/sh
# Installs audit-shipper from this tree as a systemd service, or upgrades it. Run as root.
# Makes /opt/audit-shipper (a virtual environment, every package pinned by its hash), a user, the
# unit, and, where there is none yet, /etc/audit-shipper/config.yaml and a signing key.
# Starts nothing that was not running. To undo: docs/install-systemd.md.
set -eu
umask 022

here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
app=/opt/audit-shipper
etc=/etc/audit-shipper

"${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  { echo "Python 3.11 or newer is needed: PYTHON=python3.12 $0" >&2; exit 2; }

# The program.
"${PYTHON:-python3}" -m venv "$app"
pip() { "$app/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
pip install --require-hashes --only-binary :all: -r "$tree/requirements-build.lock"
pip install --require-hashes --only-binary :all: -r "$tree/requirements.lock"
rm -rf "$tree/build" # left by an older version, it would be installed too
pip install --no-deps --no-build-isolation --no-index --force-reinstall "$tree"
ln -sfn "$app/bin/audit-shipper" /usr/local/bin/audit-shipper
"$app/bin/audit-shipper" rules list >/dev/null # loads everything: a library that is missing ends it here

# Its user, and the group that may read the audit log. Yours in /etc go before these.
install -D -m 0644 "$here/sysusers.conf" /usr/local/lib/sysusers.d/audit-shipper.conf
install -D -m 0644 "$here/tmpfiles.conf" /usr/local/lib/tmpfiles.d/audit-shipper.conf
install -D -m 0644 "$here/audit-shipper.service" /usr/local/lib/systemd/system/audit-shipper.service
systemd-sysusers audit-shipper.conf
systemd-tmpfiles --create audit-shipper.conf

# Configuration and key: never overwritten.
install -d -m 0755 "$etc"
[ -e "$etc/config.yaml" ] || install -m 0644 "$tree/config/systemd.yaml" "$etc/config.yaml"
[ -e "$etc/signing-key.pem" ] || "$app/bin/audit-shipper" keys generate "$etc/signing-key.pem"

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart audit-shipper.service
fi
echo "Edit $etc/config.yaml, give $etc/signing-key.pem.pub to the auditor, then:"
echo "  audit-shipper check --config $etc/config.yaml --connect"
echo "  systemctl enable --now audit-shipper"
