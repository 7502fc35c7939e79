"""The tune finder: typing finds a tune of the book or a built-in form; Enter plays it."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.errors import TatumFlowError
from tatumflow.engine.harmony.chart import chart_title
from tatumflow.live.book.folder import Book, folded
from tatumflow.live.charts import read_chords
from tatumflow.live.tui.dialogs.chart_draft import ChartDraft
from tatumflow.live.tui.dialogs.dialog import ListDialog
from tatumflow.live.tui.dialogs.tune_list import ListedTune, built_in, matching, of_book

_NO_CHART: Final = ListedTune("no chart", in_book=False)
_HINT: Final = "Name, composer, key or style; chords such as Dm7 | G7 | Cmaj7; a file"


@dataclass(frozen=True)
class FoundTune:
    """A tune that was taken.

    Attributes:
        chords: Value of the control `chords`; empty for no chart.
        tempo: Tempo to set with it, in beats a minute; None where the present one stays.
    """

    chords: str
    tempo: float | None = None


class TuneFinder(ListDialog[FoundTune | ChartDraft]):
    """Returns the tune taken, or a draft of its chart to edit; None when left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "tempo", "Tempo", show=False, priority=True),
        Binding("ctrl+e", "edit", "Edit", show=False, priority=True),
    ]

    def __init__(self, book: Book, controls: Controls) -> None:
        """Offer the tunes of a book and the built-in forms; the controls have the present chart and tempo."""
        super().__init__("Find a tune", "Enter plays it · Ctrl+E edits it · Esc closes", _HINT)
        self._book = book
        self._now = controls
        self._built_in = built_in()
        self._tunes: tuple[ListedTune, ...] = self._built_in
        self._offered: list[ListedTune] = []
        self._takes_tempo = True

    def body(self) -> ComposeResult:
        """Yield the field, the list and what becomes of the tempo."""
        yield from super().body()
        yield Static(id="tempo-line")

    def on_mount(self) -> None:
        """Fill the list with names at once; composers, keys and styles follow when the charts are read."""
        names = tuple(ListedTune(name) for name in self._book.names())
        self._tunes = (*names, *self._built_in)
        super().on_mount()
        if names:
            self.run_worker(self._read_book, thread=True, exclusive=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the highlighted tune, or the chart that was typed; show why it cannot be taken."""
        tune = self._highlighted
        self._take(tune.name if tune is not None else event.value.strip(), tune)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the tune."""
        tune = self._offered[event.option_index]
        self._take(tune.name, tune)

    def on_option_list_option_highlighted(self) -> None:
        """Show the tempo of the tune."""
        self._show_tempo()

    def action_tempo(self) -> None:
        """Take the tune's tempo with it, or no longer."""
        self._takes_tempo = not self._takes_tempo
        self._show_tempo()

    def action_edit(self) -> None:
        """Return a draft of the tune's chart."""
        tune = self._highlighted
        typed = self.query_one(Input).value.strip()
        try:
            if tune is not None and tune.in_book:
                self.dismiss(ChartDraft.of(self._book.written(tune.name) or "", tune.name))
            elif tune is None or tune is _NO_CHART:
                self.dismiss(ChartDraft.of(typed))
            else:
                self.dismiss(ChartDraft.of(chart_named(read_chords(tune.name)).text))
        except TatumFlowError as error:
            self.refuse(str(error))

    def fill(self, typed: str) -> None:
        """Offer the tunes that fit what was typed; at first all, and to play without a chart."""
        self._offered = matching(self._tunes, typed)
        if not typed.strip():
            self._offered.append(_NO_CHART)
        options = self.query_one(OptionList)
        options.set_options([Option(_line(tune)) for tune in self._offered])
        present = folded(chart_title(self._now.chords))
        names = [folded(tune.name) for tune in self._offered]
        if self._offered:
            options.highlighted = names.index(present) if not typed.strip() and present in names else 0
        self._show_tempo()

    @property
    def _highlighted(self) -> ListedTune | None:
        at = self.query_one(OptionList).highlighted
        return self._offered[at] if at is not None and at < len(self._offered) else None

    def _take(self, source: str, tune: ListedTune | None) -> None:
        try:
            if tune is _NO_CHART:
                self.dismiss(FoundTune(""))
                return
            chart = self._book.find_exactly(source) if tune is not None and tune.in_book else None
            chords = read_chords(source) if chart is None else chart.text
            tempo = chart_named(chords).tempo if chords and self._takes_tempo else None
            self.dismiss(FoundTune(chords, tempo))
        except TatumFlowError as error:
            self.refuse(str(error))

    def _read_book(self) -> None:
        worker = get_current_worker()
        tunes: list[ListedTune] = []
        for tune in of_book(self._book.each()):
            if worker.is_cancelled:
                return
            tunes.append(tune)
        self.app.call_from_thread(self._take_details, tuple(tunes))

    def _take_details(self, tunes: tuple[ListedTune, ...]) -> None:
        if not self.is_attached:
            return
        before = self._highlighted
        self._tunes = (*tunes, *self._built_in)
        self.fill(self.query_one(Input).value)
        names = [tune.name for tune in self._offered]
        if before is not None and before.name in names:
            self.query_one(OptionList).highlighted = names.index(before.name)

    def _show_tempo(self) -> None:
        tune = self._highlighted
        tempo = None if tune is None else tune.tempo
        line = self.query_one("#tempo-line", Static)
        now = f"{self._now.tempo:g} bpm"
        if tempo is None:
            line.update(f"♩ stays at {now}")
        elif self._takes_tempo:
            line.update(f"♩ {tempo:g} bpm with the tune · Ctrl+T stays at {now}")
        else:
            line.update(f"♩ stays at {now} · Ctrl+T takes {tempo:g} bpm with the tune")


def _line(tune: ListedTune) -> Content:
    """Return a tune in columns: name, composer, key, style, tempo; or why it cannot be read."""
    name = f"{tune.name[:27]:<28}"
    if tune.reason:
        return Content.from_markup("$name[$error]▲ cannot be read[/]", name=name)
    tempo = "" if tune.tempo is None else f"{tune.tempo:g}"
    details = f"{tune.composer[:15]:<16}{tune.key[:4]:<5}{tune.style[:13]:<14}{tempo:>4}"
    return Content.from_markup("$name[dim]$details[/]", name=name, details=details.rstrip())
