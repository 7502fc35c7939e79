#!/bin/sh
# Print the Python that the environment is made with: $PYTHON if set, else the first that fits.
# 3.11 and 3.12 come first: python-rtmidi has ready wheels for them.
fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1
}

for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
    if fits "$candidate"; then
        echo "$candidate"
        exit 0
    fi
done
if [ -n "${PYTHON:-}" ]; then
    echo "PYTHON=$PYTHON is not Python 3.11, 3.12 or 3.13; name one that is, or leave PYTHON out." >&2
elif [ "$(uname)" = Darwin ]; then
    echo "No Python 3.11, 3.12 or 3.13 found; run: brew install python@3.12" >&2
else
    echo "No Python 3.11, 3.12 or 3.13 found; install one, for example: sudo apt-get install python3 python3-venv" >&2
fi
exit 1
