"""The figures of `listener` as lines of text."""

from collections.abc import Iterator

from tatumflow.training.evaluate.comparison import Figures


def listener_lines(figures: Figures) -> Iterator[str]:
    """Write the figures of `listener` as lines of text, with 95 % intervals; none where there are none."""
    if "listener" not in figures:
        return
    found = figures["listener"]
    yield f"listener: {found['primers']} primers of {found['pieces']} pieces, {found['seconds']:g} s each"
    yield f"{'':<24}{'companion':>25}{'player':>25}{'control':>25}{'ratio':>25}"
    for name, row in found["figures"].items():
        sides = "".join(f"{_cell(row[side]):>25}" for side in ("companion", "player", "control", "ratio"))
        yield f"{name:<24}{sides}"
    divergence = found["pitch_class_kl"]
    cells = (_cell(divergence["companion"]), "", _cell(divergence["control"]))
    yield f"{'pitch_class_kl':<24}" + "".join(f"{cell:>25}" for cell in cells)
    for kind in ("features", "features_and_primer", "notes"):
        sides = found["discriminator"].get(kind, {})
        cells = (_cell(sides[side]) if side in sides else "" for side in ("companion", "", "control"))
        yield f"{'AUC, ' + kind:<25}" + "".join(f"{cell:>25}" for cell in cells)
    ranked = found["discriminator"].get("importance", [])
    if ranked:
        rows = (f"{row['name']} {row['drop']:.3f} ({row['alone']:.2f})" for row in ranked)
        yield "most important features: " + ", ".join(rows)
    for band, rows in found.get("beat", {}).items():
        yield f"beat at {band}: {rows['takes']} takes, {rows['solos']} solos, {rows['held_out']} held out"
        for name, row in rows.items():
            if isinstance(row, dict):
                cells = (_cell(row[side]) for side in ("companion", "player", "held_out", "ratio"))
                middle = " to ".join(f"{value:.2f}" for value in row["middle_half"])
                line = f"{'  ' + name:<24}" + "".join(f"{cell:>25}" for cell in cells)
                yield f"{line}  middle half of real {middle}"
    for name, reason in found["unavailable"].items():
        yield f"{name}: {reason}"


def _cell(figure: Figures) -> str:
    low, high = figure["interval"]
    return f"{figure['value']:.3f} [{low:.3f}, {high:.3f}]"
