"""The chart editor: a chart of one's own, checked as it is typed, used at once or saved into the book."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, Static, TextArea

from tatumflow.engine.errors import ChartError
from tatumflow.engine.harmony.chart import Chart
from tatumflow.live.book.folder import Book
from tatumflow.live.tui.dialogs.chart_draft import ChartDraft
from tatumflow.live.tui.dialogs.dialog import Dialog

_EXAMPLE: Final = "{key: F} {tempo: 132}\n[A] |: F7 | Bb7 | F7 | % :|\n[B] Gm7 | C7 | F7 . . D7 | Gm7 C7"


@dataclass(frozen=True)
class EditedChart:
    """What became of a draft.

    Attributes:
        draft: As it was when the dialog closed.
        used: Whether it is to be played.
        saved: Whether it is in the book as it is.
    """

    draft: ChartDraft
    used: bool = False
    saved: bool = False


class ChartEditor(Dialog[EditedChart]):
    """Returns the draft, whatever its state: nothing typed is lost."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "use", "Play", show=False),
        Binding("ctrl+s", "save", "Save", show=False, priority=True),
    ]

    def __init__(self, draft: ChartDraft, book: Book, *, own: bool = False) -> None:
        """Begin with a draft; `own` says that it is the book's tune of its name, which saving replaces."""
        super().__init__("Chart", "F5 plays it · Ctrl+S saves it into the book · Esc closes")
        self._draft = draft
        self._book = book
        self._saved: ChartDraft | None = None
        self._replaces = draft.name if own else ""

    def body(self) -> ComposeResult:
        """Yield the name, the text, whether that is a chart, and the buttons."""
        yield Input(self._draft.name, placeholder="Name", id="name", compact=True)
        area = TextArea(self._draft.text, id="text", compact=True, placeholder=_EXAMPLE)
        area.highlight_cursor_line = False
        yield area
        yield Static(id="state", markup=False)
        with Horizontal(id="buttons"):
            yield Button("Play", id="use", variant="primary", compact=True)
            yield Button("Save into the book", id="save", compact=True)
            yield Button("Close", id="close", compact=True)

    def on_mount(self) -> None:
        """Begin in the text, or with the name of a new chart."""
        self.query_one("#text" if self._draft.name else "#name").focus()
        self._check()

    @property
    def draft(self) -> ChartDraft:
        """What is written now."""
        return ChartDraft(self.query_one(Input).value.strip(), self.query_one(TextArea).text)

    def on_input_changed(self) -> None:
        """Check the chart under its new name."""
        self._check()

    def on_input_submitted(self) -> None:
        """Go on to the text."""
        self.query_one(TextArea).focus()

    def on_text_area_changed(self) -> None:
        """Check the chart."""
        self._check()

    async def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        if event.button.id == "use":
            self.action_use()
        elif event.button.id == "save":
            self.action_save()
        else:
            await self.action_leave()

    def action_use(self) -> None:
        """Return the chart to play it, once it is one."""
        if self._check() is not None:
            self.dismiss(EditedChart(self.draft, used=True, saved=self.draft == self._saved))

    def action_save(self) -> None:
        """Save the chart into the book. Another one of its name is replaced the second time."""
        chart, draft = self._check(), self.draft
        if chart is None:
            return
        if not chart.name:
            self._say("Write a name first: the book finds the chart by it.", wrong=True)
            self.query_one("#name").focus()
            return
        try:
            name, saved = self._book.save(chart, text=draft.source, replacing=self._replaces == chart.name)
        except ChartError as error:
            self._say(str(error), wrong=True)
            return
        if saved == "kept":
            self._replaces = chart.name
            self._say(f"The book has another {name}. Ctrl+S again replaces it.", wrong=True)
            return
        self._saved, self._replaces = draft, chart.name
        self._say(f"Saved into the book: {name}.")

    async def action_leave(self) -> None:
        """Close, and return the draft."""
        self.dismiss(EditedChart(self.draft, saved=self.draft == self._saved))
        await self.run_action("app.end_learning")

    def _check(self) -> Chart | None:
        """Show what the chart is, or why it is none yet, and return it."""
        draft = self.draft
        if not draft.text.strip():
            self._say("")
            return None
        try:
            chart = draft.chart
        except ChartError as error:
            self._say(str(error), wrong=True)
            return None
        if draft != self._saved:
            self._say(_summary(chart))
        return chart

    def _say(self, text: str, *, wrong: bool = False) -> None:
        line = self.query_one("#state", Static)
        line.update(text)
        line.set_class(wrong, "-wrong")


def _summary(chart: Chart) -> str:
    """Return a chart's bars, beats, key, tempo and sections in one line."""
    parts = [f"{len(chart.bars)} bars", f"{chart.beats_per_bar} beats a bar"]
    if chart.key:
        parts.append(f"in {chart.key}")
    if chart.tempo is not None:
        parts.append(f"{chart.tempo:g} bpm")
    if chart.sections:
        parts.append(" ".join(section.name for section in chart.sections))
    return " · ".join(parts)
