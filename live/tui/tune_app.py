"""What the screen does with the tune, its transport and its band."""

from functools import partial
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from tatumflow.engine.controls import chart_named
from tatumflow.engine.errors import ChartError
from tatumflow.engine.harmony.chart import is_named
from tatumflow.engine.messages import BeginBars, GoToBar, GoToSection, SetControl, Snapshot, StopBars
from tatumflow.engine.tempo.tune import tune_of
from tatumflow.live.book.folder import Book, book_folder
from tatumflow.live.processes.engine_link import EngineLink
from tatumflow.live.steering.control_range import control_range
from tatumflow.live.tui.dialogs.bar_dialog import BarDialog
from tatumflow.live.tui.dialogs.chart_draft import ChartDraft
from tatumflow.live.tui.dialogs.chart_editor import ChartEditor, EditedChart
from tatumflow.live.tui.dialogs.head_dialog import HeadDialog
from tatumflow.live.tui.dialogs.tune_finder import FoundTune, TuneFinder
from tatumflow.live.tui.strip.section_loop import section_loop


class TuneApp(App[None], inherit_bindings=False):
    """The actions on the tune. A chart left unsaved in the editor is there again when it is edited."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+e", "edit_chart", show=False, tooltip="edit the chart, or write one"),
        Binding("f5", "bars", show=False, tooltip="begin the bars, counting in"),
        Binding("full_stop", "stop", show=False, tooltip="stop the band, the clicks and the companion"),
        Binding("comma", "section(0)", show=False, tooltip="play the section again"),
        Binding("slash", "section(1)", show=False, tooltip="go on from the next section"),
        Binding("l", "loop", show=False, tooltip="loop the section in progress, or end the loop"),
        Binding("minus", "step('tempo', -1)", show=False, tooltip="a slower tempo"),
        Binding("equals_sign,plus", "step('tempo', 1)", show=False, tooltip="a faster tempo"),
        Binding("9", "step('tempo_step', -1)", show=False, tooltip="slower with each chorus"),
        Binding("0", "step('tempo_step', 1)", show=False, tooltip="faster with each chorus"),
        Binding("k", "step('key_step', 1)", show=False, tooltip="move the key with each chorus: next step"),
        Binding("ctrl+b", "switch('band')", show=False, tooltip="band on, or off"),
        Binding("o", "step('band_style', 1)", show=False, tooltip="next style of the band"),
    ]

    link: EngineLink
    snapshot: Snapshot | None

    def __init__(self) -> None:
        """Start without drafts."""
        super().__init__()
        self._drafts: dict[str, ChartDraft] = {}

    def set_control(self, control: str, value: str | float) -> None:
        """Set a control."""
        self.link.send(SetControl(control, value))

    def action_bars(self) -> None:
        """Begin the bars."""
        self.link.send(BeginBars())

    def action_stop(self) -> None:
        """Stop the bars."""
        self.link.send(StopBars())

    def action_section(self, steps: int) -> None:
        """Go on from a section some steps away."""
        self.link.send(GoToSection(steps))

    def action_loop(self) -> None:
        """Loop the section in progress, or end the loop."""
        if self.snapshot is None:
            return
        for name, value in section_loop(self.snapshot.controls, self.snapshot.position).items():
            self.set_control(name, value)

    def action_switch(self, control: str) -> None:
        """Turn a control on, or off."""
        if self.snapshot is not None:
            self.set_control(control, 1 - getattr(self.snapshot.controls, control))

    def action_go_to_bar(self) -> None:
        """Open the dialog for a bar to go to."""
        tune = None if self.snapshot is None else tune_of(self.snapshot.controls)
        if tune is not None:
            self.push_screen(BarDialog(len(tune.chart.bars)), self.go_to_bar)

    def action_head(self) -> None:
        """Open the dialog for the file with the melody."""
        if self.snapshot is not None:
            controls = self.snapshot.controls
            self.push_screen(HeadDialog(controls.head, partial(controls.changed, "head")), self._take_head)

    def _take_head(self, head: str | None) -> None:
        if head is not None:
            self.set_control("head", head)

    def go_to_bar(self, bar: int | None) -> None:
        """Go on from a bar of the tune's chart, counted from 1."""
        if bar is not None:
            self.link.send(GoToBar(bar))

    def action_tune(self) -> None:
        """Open the tune finder."""
        if self.snapshot is not None:
            self.push_screen(TuneFinder(Book(book_folder()), self.snapshot.controls), self._take)

    def action_edit_chart(self) -> None:
        """Edit the chart that is played, or the loop of heard chords; write one where there is none."""
        now = self.snapshot
        chords = "" if now is None else now.controls.chords or now.heard_chart
        self.edit(_draft(chords) if chords else ChartDraft())

    def action_new_chart(self) -> None:
        """Write a chart."""
        self.edit(ChartDraft())

    def edit(self, draft: ChartDraft) -> None:
        """Open the editor with a draft, or with what was left of it."""
        book = Book(book_folder())
        own = draft.name != "" and _is_written(book, draft)
        self.push_screen(
            ChartEditor(self._drafts.get(draft.name, draft), book, own=own), partial(self._edited, draft)
        )

    def _take(self, taken: FoundTune | ChartDraft | None) -> None:
        if isinstance(taken, ChartDraft):
            self.edit(taken)
        elif taken is not None:
            self.set_control("chords", taken.chords)
            if taken.tempo is not None:
                self.set_control("tempo", taken.tempo)

    def _edited(self, before: ChartDraft, edited: EditedChart | None) -> None:
        if edited is None:
            return
        if edited.used or edited.saved or edited.draft == before:
            self._drafts.pop(before.name, None)
        else:
            self._drafts[before.name] = edited.draft
        if not edited.used:
            return
        chart = edited.draft.chart
        self.set_control("chords", edited.draft.source)
        if chart.tempo is not None and self.snapshot is not None:
            self.set_control("tempo", control_range("tempo").clamp(chart.tempo))


def _draft(chords: str) -> ChartDraft:
    """Return the draft of a value of the control `chords`, as the book has it if it is from there."""
    chart = chart_named(chords)
    try:
        written = Book(book_folder()).written(chart.name)
        draft = None if written is None else ChartDraft.of(written, chart.name)
        if draft is not None and draft.chart.text == chart.text:
            return draft
    except ChartError:
        pass
    return ChartDraft.of(chart.text if is_named(chords) else chords)


def _is_written(book: Book, draft: ChartDraft) -> bool:
    """Return whether a draft is the book's tune of its name, as it is written there."""
    try:
        written = book.written(draft.name)
    except ChartError:
        return False
    return written is not None and ChartDraft.of(written, draft.name) == draft
