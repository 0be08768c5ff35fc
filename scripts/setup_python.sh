#!/usr/bin/env bash
# Makes an environment where there is none and installs a requirements file into it:
# setup_python.sh PYTHON REQUIREMENTS [FOLDER=.venv [CONSTRAINTS=requirements.lock]]
set -euo pipefail
python=$1 requirements=$2 venv=${3:-.venv} constraints=${4:-requirements.lock}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Annotator needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1 || echo missing)." >&2
    echo "Name another one with: make PYTHON=python3.12 …" >&2
    exit 1
fi
if ! [ -x "$venv/bin/pip" ]; then
    echo "Making $venv …"
    "$python" -m venv "$venv" || { echo "Python's venv module is missing (Debian: apt-get install python3-venv)." >&2; exit 1; }
fi
echo "Installing $requirements (the first time takes minutes) …"
"$venv/bin/pip" install -q --disable-pip-version-check -c "$constraints" -r "$requirements"
