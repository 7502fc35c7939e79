"""The `bench` command."""

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.model.bundle import Bundle, bundle_path, load_bundle
from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.live.bench.bar_line import bar_line
from tatumflow.live.bench.morph_cost import morph
from tatumflow.live.bench.note_cost import absorb, note_cost
from tatumflow.live.bench.peer import beside_peer
from tatumflow.live.bench.report import Figure, print_figures, write_figures
from tatumflow.live.bench.roofline import roofline
from tatumflow.live.bench.startup import startup
from tatumflow.live.bench.takes_in_time import takes_in_time
from tatumflow.live.bench.thru import thru
from tatumflow.live.bench.timing import jitter
from tatumflow.live.bench.turns import turns
from tatumflow.live.processes.child_process import SWITCH_SECONDS

Benchmark = Callable[[Bundle, Decoder, int], tuple[Figure, ...]]

BENCHMARKS: Final[tuple[Benchmark, ...]] = (
    note_cost,
    absorb,
    thru,
    jitter,
    turns,
    takes_in_time,
    bar_line,
    morph,
    startup,
    roofline,
)

FEWEST_NOTES: Final = 100


def bench(
    model: str = "",
    json_path: Path | None = None,
    notes: int = 1000,
    peer: Path | None = None,
    receive_minutes: float = 0.0,
) -> list[Figure]:
    """Measure this machine with a bundle on one CPU thread, print a table, and write JSON if a file is given.

    As in the engine's process, threads share the interpreter and the garbage collector leaves alone what was
    there before.

    Args:
        model: Bundle, by name or folder; empty for the first at hand.
        json_path: Where to write the figures.
        notes: Samples of each figure; no fewer than `FEWEST_NOTES` are taken.
        peer: A Python that has Notochord, to set beside; None for none.
        receive_minutes: How long notes are timed at another program's JACK port; 0 for not at all.

    Raises:
        BundleError: if the bundle is missing or damaged.
        SettingError: if the JSON file cannot be written.
        DeviceError: if the companion, the peer or JACK does not start.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    if json_path is not None:
        check_output(json_path)
    bundle = load_bundle(bundle_path(model))
    decoder = OnnxDecoder(bundle)
    count = max(notes, FEWEST_NOTES)
    gc.collect()
    gc.freeze()
    try:
        figures = [figure for benchmark in BENCHMARKS for figure in benchmark(bundle, decoder, count)]
    finally:
        gc.unfreeze()
    if peer is not None:
        figures += beside_peer(bundle, decoder, count, peer)
    if receive_minutes:
        from tatumflow.live.bench.receive import receive

        figures += receive(bundle, decoder, receive_minutes)
    print_figures(figures, bundle.name)
    if json_path is not None:
        write_figures(figures, bundle.name, f"tatumflow bench --model {bundle.name}", json_path)
    return figures
