"""The `soak` command."""

from pathlib import Path

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.model.bundle import Bundle, bundle_path, load_bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.live.bench.report import Figure, Target, print_figures, write_figures
from tatumflow.live.soak.compressed import compressed_soak
from tatumflow.live.soak.kind import Soak
from tatumflow.live.soak.report import NONE
from tatumflow.live.soak.storm import storm


def soak(
    kind: Soak,
    model: str = "",
    minutes: float = 120.0,
    packets: int = 1_000_000,
    json_path: Path | None = None,
    *,
    sound: Path | None = None,
    separator: str = "",
    stem: str = "horn",
    seconds: float = 10.0,
    band: bool = False,
) -> list[Figure]:
    """Run an endurance test, print its figures, and write JSON if a file is given.

    Args:
        kind: A musician on a virtual clock, the same in real time on JACK ports, a recording that is heard
            over JACK, random MIDI, or floods of control values on JACK ports.
        model: Bundle, by name or folder; empty for the first at hand.
        minutes: How long the musician plays.
        packets: How many random packets are delivered.
        json_path: Where to write the figures.
        sound: The recording for the ears.
        separator: Separator, by name or folder; empty for the first at hand, "none" for none.
        stem: The stem that the companion hears.
        seconds: How long each flood lasts.
        band: Whether the band and the metronome play, of those on a virtual clock and on ports.

    Raises:
        BundleError: if the bundle is missing or damaged.
        DeviceError: if there is no JACK, the recording cannot be read, or the engine dies.
        SettingError: if ears have no recording to hear, or the JSON file cannot be written.
    """
    if json_path is not None:
        check_output(json_path)
    bundle = load_bundle(bundle_path(model))
    if kind is Soak.PORTS:
        from tatumflow.live.soak.on_ports import soak_on_ports

        figures, options = soak_on_ports(bundle, minutes, band=band), f"--minutes {minutes:g}"
    elif kind is Soak.EARS:
        if sound is None:
            raise SettingError("soak ears needs a recording to hear; name one with --sound FILE")
        from tatumflow.live.soak.with_ears import soak_with_ears

        figures = soak_with_ears(bundle, sound, separator, stem, minutes)
        options = f"--minutes {minutes:g} --sound {sound.name} --stem {stem}"
        options += f" --separator {separator}" if separator else ""
    elif kind is Soak.FLOOD:
        from tatumflow.live.soak.flood import soak_in_floods

        figures, options = soak_in_floods(bundle, seconds), f"--seconds {seconds:g}"
    elif kind is Soak.VIRTUAL:
        figures = compressed_soak(bundle, OnnxDecoder(bundle), minutes, band=band)
        options = f"--minutes {minutes:g}"
    else:
        figures, options = _storm_figures(bundle, packets), f"--packets {packets}"
    options += " --band" if band else ""
    print_figures(figures, bundle.name)
    if json_path is not None:
        command = f"tatumflow soak {kind.value} --model {bundle.name} {options}"
        write_figures(figures, bundle.name, command, json_path)
    return figures


def _storm_figures(bundle: Bundle, packets: int) -> list[Figure]:
    report = storm(bundle, OnnxDecoder(bundle), packets)
    return [
        Figure.of("delivered", "packets", [report.messages], Target()),
        Figure.of("played", "notes", [report.ons], Target()),
        Figure.of("answered", "turns", [report.turns], Target()),
        Figure.of("hung", "notes", [len(report.hanging)], NONE),
    ]
