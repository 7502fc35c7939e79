#!/bin/sh
# Install what TatumFlow uses from the system, where that may be done without asking; otherwise name the one
# command to run. Never fails: everything here is something TatumFlow can go on without.
# Usage: system-packages.sh live|test|sounds PYTHON
what=$1
python=$2

has_library() {
    "$python" -c 'import ctypes.util, sys; sys.exit(ctypes.util.find_library(sys.argv[1]) is None)' "$1"
}

# FluidSynth gives sound without a synthesizer of one's own, PortAudio hears audio and plays it; JACK gives the
# port tests a graph to play through, and museval, which measures stems, does not load without ffmpeg.
missing_from_apt() {
    "$python" -c 'import ensurepip' 2>/dev/null ||
        "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
    has_library fluidsynth || echo fluidsynth
    has_library portaudio || echo libportaudio2
    if [ "$what" = test ]; then
        command -v jackd >/dev/null || echo jackd2
        command -v ffmpeg >/dev/null || echo ffmpeg
    fi
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 13))'; then
        # python-rtmidi has no wheel for this Python, so it is built.
        command -v g++ >/dev/null || echo g++
        "$python" -c 'import os, sysconfig, sys; sys.exit(not os.path.exists(sysconfig.get_config_h_filename()))' ||
            "$python" -c 'import sys; print("python%d.%d-dev" % sys.version_info[:2])'
        command -v pkg-config >/dev/null || echo pkg-config
        [ -e /usr/include/alsa/asoundlib.h ] || echo libasound2-dev
        [ -e /usr/include/jack/jack.h ] || echo libjack-jackd2-dev
    fi
}

missing_from_brew() {
    has_library fluidsynth || [ -e "$(brew --prefix)/lib/libfluidsynth.dylib" ] || echo fluid-synth
    if [ "$what" = test ]; then
        command -v jackd >/dev/null || echo jack
        command -v ffmpeg >/dev/null || echo ffmpeg
    fi
}

tell() {
    echo "To have everything (sound without a synthesizer, every test), run: $1" >&2
    echo "Going on without for now." >&2
}

# The SoundFont that comes along is small and sounds so. This one is 34 MB to load and 40 MB on the disk; where it
# may not be installed, `tatumflow doctor` says how to get it.
if [ "$what" = sounds ]; then
    ls /usr/share/sounds/sf[23]/MuseScore_General* /usr/share/sounds/sf2/FluidR3* >/dev/null 2>&1 && exit 0
    command -v apt-get >/dev/null && command -v timeout >/dev/null || exit 0
    if [ "$(id -u)" = 0 ]; then
        root="env"
    elif sudo -n true 2>/dev/null; then
        root="sudo -n env"
    else
        exit 0
    fi
    echo "Installing better sounds from the system: musescore-general-soundfont-small (34 MB)"
    install="apt-get install -y -qq --no-install-recommends musescore-general-soundfont-small"
    timeout 120 $root DEBIAN_FRONTEND=noninteractive sh -c "apt-get update -qq; $install" </dev/null >/dev/null 2>&1 ||
        echo "They did not come; going on with the small ones." >&2
    exit 0
fi

one_line() { tr '\n' ' ' | sed 's/ *$//'; }

if command -v apt-get >/dev/null; then
    packages=$(missing_from_apt | one_line)
    [ -n "$packages" ] || exit 0
    install="apt-get install -y --no-install-recommends $packages"
    if [ "$(id -u)" = 0 ]; then
        root="env"
    elif sudo -n true 2>/dev/null; then
        root="sudo -n env"
    else
        tell "sudo $install"
        exit 0
    fi
    echo "Installing from the system: $packages"
    # jackd2 asks a question about real-time priority; unattended, its default stands.
    $root DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null >/dev/null
    $root DEBIAN_FRONTEND=noninteractive $install -qq </dev/null >/dev/null || tell "sudo $install"
elif command -v brew >/dev/null; then
    packages=$(missing_from_brew | one_line)
    [ -n "$packages" ] || exit 0
    echo "Installing with Homebrew: $packages"
    brew install --quiet $packages </dev/null || tell "brew install $packages"
elif ! has_library fluidsynth; then
    tell "your package manager's install of fluidsynth$([ "$what" = test ] && echo ', jack and ffmpeg')"
fi
exit 0
