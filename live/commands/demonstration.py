"""The companion without a keyboard or a terminal: it answers a bundled phrase."""

from importlib import resources
from pathlib import Path

from tatumflow.engine.errors import DeviceError, MidiFileError
from tatumflow.engine.midi.midi_file import write_midi
from tatumflow.live.commands.piano_roll_text import piano_roll
from tatumflow.live.commands.play import answer
from tatumflow.live.midi.synth import render, write_sound
from tatumflow.live.settings import Settings


def bundled_phrase() -> Path:
    """Return the file of the bundled phrase."""
    # A file on the disk: from an archive ONNX Runtime could not open the models either.
    return Path(str(resources.files("tatumflow.configs") / "live" / "phrase.mid"))


def demonstrate(settings: Settings, folder: Path) -> None:
    """Answer the bundled phrase, draw both players, and write jam.mid and jam.wav.

    Without a synthesizer only the MIDI file is written.

    Args:
        settings: Model, controls and synthesizer.
        folder: Where to write; made if missing.

    Raises:
        TatumFlowError: if the model is missing or the file cannot be written.
    """
    answered = answer(bundled_phrase(), settings)
    human, companion = answered.result.human, answered.result.companion
    print(piano_roll(human, companion))
    print("you: light; the companion: dark")
    print(answered.summary())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MidiFileError(f"{folder}: cannot be made ({error.strerror}); run in another folder") from None
    midi, wav = folder / "jam.mid", folder / "jam.wav"
    write_midi(midi, answered.tracks, answered.tempo or 120.0)
    written = [midi]
    try:
        write_sound(wav, render(answered.tracks, settings.synth))
        written.append(wav)
    except DeviceError as error:
        print(f"without sound: {error}")
    for path in written:
        print(f"written: {path} ({answered.seconds:.1f} s)")
