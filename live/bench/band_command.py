"""`tatumflow bench --band`: the figures of the band over charts, in every style, and of heard chords."""

from pathlib import Path

from tatumflow.engine.band.styles import STYLES
from tatumflow.engine.errors import ChartError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.harmony.chart import Chart
from tatumflow.live.bench.band_music import built_in_charts, style_figures
from tatumflow.live.bench.heard_music import heard_figures
from tatumflow.live.bench.report import Figure, print_figures, write_figures
from tatumflow.live.book.files import chart_files, read_file


def bench_band(charts: Path | None = None, json_path: Path | None = None) -> list[Figure]:
    """Measure what the band plays, print a table, and write JSON if a file is given.

    Args:
        charts: Folder of chart files; None for the built-in charts in all keys.
        json_path: Where to write the figures.

    Raises:
        ChartError: if a chart cannot be read, or the folder has none.
        SettingError: if the JSON file cannot be written.
    """
    if json_path is not None:
        check_output(json_path)
    tunes = built_in_charts() if charts is None else _read(charts)
    figures = [figure for style in STYLES.values() for figure in style_figures(style, tunes)]
    figures += heard_figures(tunes)
    title = f"of the band, {len(tunes)} charts"
    print_figures(figures, title)
    if json_path is not None:
        write_figures(figures, title, "tatumflow bench --band", json_path)
    return figures


def _read(folder: Path) -> list[Chart]:
    """Return the charts of a folder in any format that is read."""
    tunes = [tune.chart for file in chart_files(folder) for tune in read_file(file).tunes]
    if not tunes:
        raise ChartError(f"{folder}: has no charts; give a folder of them, see `tatumflow book check`")
    return tunes
