"""`tatumflow doctor` and `ports`: what playing needs."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from tatumflow.engine.errors import DeviceError, PortError, TatumFlowError
from tatumflow.engine.model.bundle import find_bundles, load_bundle
from tatumflow.live.audio.devices import AudioDevice, match_device
from tatumflow.live.audio.portaudio import PortAudio
from tatumflow.live.midi.midi_ports import api_problem, compiled_apis, list_ports, working_api
from tatumflow.live.midi.soundfonts import ADVICE, PREFERRED
from tatumflow.live.midi.synth import LiveSynth
from tatumflow.live.midi.synth_sounds import part_soundfonts
from tatumflow.live.processes.engine_log import log_path
from tatumflow.live.quiet import quiet_stderr
from tatumflow.live.settings import AUTO, Settings, settings_path

_LEAST_PYTHON = (3, 11)
_LEAST_COLUMNS, _LEAST_ROWS = 80, 24
_ONE_SYSTEM = "one of the MIDI systems above is enough; `tatumflow play` and `generate` need none"
_LOOP_MIDI = "to reach a DAW, install loopMIDI, make a port in it, and choose that with --out"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` is empty where nothing needs doing."""

    subject: str
    found: str
    advice: str = ""


def findings(settings: Settings) -> Iterator[Finding]:
    """Look at everything that playing needs, one thing after the other."""
    version = platform.python_version()
    old = sys.version_info < _LEAST_PYTHON
    advice = "install Python 3.11 or newer" if old else ""
    yield Finding("Python", f"{version} on {platform.platform()}", advice)
    yield Finding("settings", str(settings_path()) if settings_path().is_file() else "defaults")
    yield Finding("engine log", str(log_path()))
    yield from _midi(settings)
    yield from _sound(settings)
    yield _audio_input(settings)
    yield _runtime()
    yield from _models()
    yield from _terminal()


def examine(settings: Settings) -> None:
    """Print every finding, with what to do under those that need something done."""
    console = Console()
    for finding in findings(settings):
        mark = "[yellow]! [/]" if finding.advice else "[green]ok[/]"
        # Text from the system may hold brackets, which are markup to the console.
        console.print(
            mark, f"[bold]{finding.subject}[/]:", escape(finding.found), highlight=False, soft_wrap=True
        )
        if finding.advice:
            console.print(f"   {finding.advice}", highlight=False, markup=False, soft_wrap=True)


def print_ports(settings: Settings) -> None:
    """Print the MIDI inputs and outputs with their numbers.

    Raises:
        PortError: if no MIDI system answers.
    """
    with quiet_stderr():
        found = working_api(settings.ports.api)
        names = list_ports(found, settings.ports.virtual_name)
    print(f"MIDI system: {found}")
    for title, listed in (("inputs", names.inputs), ("outputs", names.outputs)):
        print(f"{title}:")
        for number, name in enumerate(listed):
            print(f"  {number}  {name}")
        if not listed:
            print("  none")


def print_audio_devices() -> None:
    """Print the audio devices with their numbers, or why there are none."""
    try:
        devices = _audio_devices()
    except DeviceError as error:
        print(f"audio devices: none; {error}")
        return
    print("audio devices:")
    for device in devices:
        default = [
            side
            for side, chosen in (("input", device.is_default_input), ("output", device.is_default_output))
            if chosen
        ]
        chosen = f", the system's {' and '.join(default)}" if default else ""
        print(
            f"  {device.number}  {device.name} ({device.api}): {device.inputs} in, {device.outputs} out, "
            f"{device.rate} Hz{chosen}"
        )
    if not devices:
        print("  none")


def _audio_devices() -> tuple[AudioDevice, ...]:
    with quiet_stderr():
        system = PortAudio()
        devices = system.devices()
        system.close()
    return devices


def _midi(settings: Settings) -> Iterator[Finding]:
    with quiet_stderr():
        problems = {api: api_problem(api) for api in compiled_apis()}
    for api, problem in problems.items():
        needless = settings.ports.api != api and not all(problems.values())
        found = "does not answer" if problem else "answers"
        yield Finding(f"MIDI system {api}", found, "" if needless else problem)
    try:
        with quiet_stderr():
            names = list_ports(settings.ports.api, settings.ports.virtual_name)
    except PortError as error:
        named = bool(problems) and all(problems.values())
        yield Finding("MIDI ports", "none", _ONE_SYSTEM if named else str(error))
        return
    yield Finding(
        "MIDI inputs",
        ", ".join(names.inputs) or "none",
        "" if names.inputs else "connect a keyboard, or play with the computer's keys in `tatumflow jam`",
    )
    outputs = ", ".join(names.outputs) or "none; virtual ports and the synthesizer remain"
    yield Finding("MIDI outputs", outputs)
    if sys.platform == "win32":
        yield Finding("virtual ports", "none on Windows", "" if _has_loop(names.outputs) else _LOOP_MIDI)


def _sound(settings: Settings) -> Iterator[Finding]:
    try:
        players, *others = part_soundfonts(settings.synth).items()
        path = players[1]
        small = not settings.synth.soundfont and path.stem.lower() == PREFERRED[-1]
        advice = f"it sounds small; for better sounds: {ADVICE}" if small else ""
        sounds = "".join(f"; {part}: {font}" for part, font in others)
        yield Finding("SoundFont", f"{path}{sounds}", advice)
    except DeviceError as error:
        yield Finding("SoundFont", "missing", str(error))
    try:
        LiveSynth(settings.synth).close()
        yield Finding("synthesizer", "plays")
    except DeviceError as error:
        yield Finding("synthesizer", "silent", str(error))


def _audio_input(settings: Settings) -> Finding:
    """Look for the audio input of a session; only where the settings use one is its absence a problem."""
    name = settings.audio.input
    try:
        device = match_device("" if name == AUTO else name, _audio_devices(), "input")
    except DeviceError as error:
        return Finding("audio input", "none", str(error) if settings.audio.enabled else "")
    return Finding("audio input", f"{device.name}, {device.inputs} channels at {device.rate} Hz")


def _has_loop(outputs: Sequence[str]) -> bool:
    return any("loopmidi" in name.casefold() for name in outputs)


def _runtime() -> Finding:
    """Look at ONNX Runtime and the devices that it can run a model on."""
    try:
        import onnxruntime

        from tatumflow.engine.model.providers import CUDA, gpu_answers, usable_providers
    except ImportError as error:
        cure = (
            "install Microsoft's Visual C++ Redistributable"
            if sys.platform == "win32"
            else "install it again"
        )
        return Finding("ONNX Runtime", f"cannot be loaded ({error})", cure)
    providers = usable_providers()
    on = ", ".join(name.removesuffix("ExecutionProvider") for name in providers)
    idle = CUDA not in providers and gpu_answers()
    advice = (
        "a GPU is there, but CUDA's libraries do not load: pip install 'tatumflow[tensorrt]'" if idle else ""
    )
    return Finding("ONNX Runtime", f"{onnxruntime.__version__}, on {on}", advice)


def _models() -> Iterator[Finding]:
    found = find_bundles()
    if not found:
        advice = "fetch one with `tatumflow models get`, or name its folder with --model"
        yield Finding("model", "none", advice)
    for path in found:
        try:
            bundle = load_bundle(path)
            yield Finding(f"model {bundle.name}", f"sound, {len(bundle.styles) - 1} styles")
        except TatumFlowError as error:
            yield Finding(f"model {path.name}", "damaged", str(error))


def _terminal() -> Iterator[Finding]:
    if not sys.stdout.isatty():
        yield Finding("terminal", "none; `tatumflow jam` then plays a bundled phrase")
        return
    size = shutil.get_terminal_size()
    small = size.columns < _LEAST_COLUMNS or size.lines < _LEAST_ROWS
    yield Finding(
        "terminal",
        f"{size.columns} by {size.lines}, {os.environ.get('TERM', 'unknown kind')}",
        f"make it {_LEAST_COLUMNS} by {_LEAST_ROWS} or larger" if small else "",
    )
