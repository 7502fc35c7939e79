"""A musician in a process of their own: `python player.py PORT < lines`, one command a line.

PORT is a companion's input to play into, or "offer NAME" to offer an output that others connect to.
Commands: `on PITCH`, `off PITCH`, `control NUMBER VALUE`, `wait SECONDS`, `flood` (pitch bend from then on),
`burst NOTES` (a thousand a second), `clock TEMPO` (a start, and ticks from then on), `stop` (of the clock,
which ticks on).
Each is answered with its own text.
"""

import sys
import threading
import time

import rtmidi


def flood(port: rtmidi.MidiOut) -> None:
    while True:
        port.send_message([0xE0, 0, 64])
        time.sleep(0.0005)


def burst(port: rtmidi.MidiOut, notes: int) -> None:
    begun = time.monotonic()
    for count in range(notes):
        time.sleep(max(begun + count / 1000 - time.monotonic(), 0.0))
        pitch = 36 + 7 * count % 48
        port.send_message([0x90, pitch, 90])
        port.send_message([0x80, pitch, 0])


def tick(port: rtmidi.MidiOut, tempo: float) -> None:
    port.send_message([0xFA])
    due = time.monotonic()
    while True:
        due += 60 / tempo / 24
        time.sleep(max(due - time.monotonic(), 0.0))
        port.send_message([0xF8])


def main() -> None:
    port = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, "player")
    if sys.argv[1] == "offer":
        port.open_virtual_port(sys.argv[2])
    else:
        patience = time.monotonic() + 20
        while not (found := [i for i, name in enumerate(port.get_ports()) if sys.argv[1] in name]):
            if time.monotonic() > patience:
                sys.exit(f"no port {sys.argv[1]}")
            time.sleep(0.05)
        port.open_port(found[0])
        # What is sent before the server has run a cycle with the new connection is lost.
        time.sleep(0.3)
    print("ready", flush=True)
    for line in sys.stdin:
        match line.split():
            case ["on", pitch]:
                port.send_message([0x90, int(pitch), 90])
            case ["off", pitch]:
                port.send_message([0x80, int(pitch), 0])
            case ["control", number, value]:
                port.send_message([0xB0, int(number), int(value)])
            case ["flood"]:
                threading.Thread(target=flood, args=(port,), daemon=True).start()
            case ["burst", notes]:
                burst(port, int(notes))
            case ["clock", tempo]:
                threading.Thread(target=tick, args=(port, float(tempo)), daemon=True).start()
            case ["stop"]:
                port.send_message([0xFC])
            case ["wait", seconds]:
                time.sleep(float(seconds))
        print(line.strip(), flush=True)


if __name__ == "__main__":
    main()
