"""Forms that belong to the common practice of jazz: blues, rhythm changes, vamps, turnarounds, cadences."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class NamedForm:
    """A form in one key, from which it is transposed.

    Attributes:
        title: Its title.
        key: The key it is written in, such as "Bb" or "Cm".
        text: Its chart for `parse_chart`.
    """

    title: str
    key: str
    text: str

    @property
    def name(self) -> str:
        """The title as it is written within a sentence, such as "rhythm changes" or "ii-V-I"."""
        return self.title if self.title == "ii-V-I" else self.title[0].lower() + self.title[1:]


_BLUES: Final = """
F7  | Bb7   | F7    | Cm7 F7
Bb7 | Bdim7 | F7    | Am7b5 D7
Gm7 | C7    | F7 D7 | Gm7 C7
"""

_MINOR_BLUES: Final = """
Cm6 | Fm7 | Cm6 | C7
Fm7 | %   | Cm6 | %
Ab7 | G7  | Cm6 | Dm7b5 G7
"""

_RHYTHM_CHANGES: Final = """
[A] Bbmaj7 G7 | Cm7 F7     | Dm7 G7 | Cm7 F7
    Fm7 Bb7   | Ebmaj7 Ab7 | Dm7 G7 | Cm7 F7
[A] Bbmaj7 G7 | Cm7 F7     | Dm7 G7 | Cm7 F7
    Fm7 Bb7   | Ebmaj7 Ab7 | Cm7 F7 | Bbmaj7
[B] D7        | %          | G7     | %
    C7        | %          | F7     | %
[A] Bbmaj7 G7 | Cm7 F7     | Dm7 G7 | Cm7 F7
    Fm7 Bb7   | Ebmaj7 Ab7 | Cm7 F7 | Bbmaj7
"""

_TWO_FIVE_ONE: Final = """
Dm7  | G7  | Cmaj7  | %   # and on through all twelve keys, each a fourth higher
Gm7  | C7  | Fmaj7  | %
Cm7  | F7  | Bbmaj7 | %
Fm7  | Bb7 | Ebmaj7 | %
Bbm7 | Eb7 | Abmaj7 | %
Ebm7 | Ab7 | Dbmaj7 | %
Abm7 | Db7 | Gbmaj7 | %
C#m7 | F#7 | Bmaj7  | %
F#m7 | B7  | Emaj7  | %
Bm7  | E7  | Amaj7  | %
Em7  | A7  | Dmaj7  | %
Am7  | D7  | Gmaj7  | %
"""

_BASIC_BLUES: Final = """
F7  | %   | %  | %
Bb7 | %   | F7 | %
C7  | Bb7 | F7 | C7
"""

_BIRD_BLUES: Final = """
Fmaj7  | Em7b5 A7 | Dm7 G7   | Cm7 F7
Bbmaj7 | Bbm7 Eb7 | Am7 D7   | Abm7 Db7
Gm7    | C7       | Fmaj7 D7 | Gm7 C7
"""

_MINOR_TWO_FIVE_ONE: Final = """
Dm7b5  | G7b9  | Cm6  | %   # and on through all twelve keys, each a fourth higher
Gm7b5  | C7b9  | Fm6  | %
Cm7b5  | F7b9  | Bbm6 | %
Fm7b5  | Bb7b9 | Ebm6 | %
Bbm7b5 | Eb7b9 | Abm6 | %
D#m7b5 | G#7b9 | C#m6 | %
G#m7b5 | C#7b9 | F#m6 | %
C#m7b5 | F#7b9 | Bm6  | %
F#m7b5 | B7b9  | Em6  | %
Bm7b5  | E7b9  | Am6  | %
Em7b5  | A7b9  | Dm6  | %
Am7b5  | D7b9  | Gm6  | %
"""

_TURNAROUNDS: Final = """
[I-vi-ii-V]      |: Cmaj7 Am7   | Dm7 G7      :|
[iii-VI-ii-V]    |: Em7 A7      | Dm7 G7      :|
[Diminished]     |: Cmaj7 C#dim7 | Dm7 D#dim7 :|
[Tritones]       |: Cmaj7 Eb7   | D7 Db7      :|
[Flat submediant] |: Cmaj7 Eb7  | Abmaj7 Db7  :|
"""

_MODAL_AABA: Final = """
[A] Dm7  | % | % | % | % | % | % | %
[A] Dm7  | % | % | % | % | % | % | %
[B] Ebm7 | % | % | % | % | % | % | %
[A] Dm7  | % | % | % | % | % | % | %
"""

_FORMS: Final = (
    NamedForm("Blues", "F", _BLUES),
    NamedForm("Minor blues", "Cm", _MINOR_BLUES),
    NamedForm("Rhythm changes", "Bb", _RHYTHM_CHANGES),
    NamedForm("ii-V-I", "C", _TWO_FIVE_ONE),
    NamedForm("Basic blues", "F", _BASIC_BLUES),
    NamedForm("Bird blues", "F", _BIRD_BLUES),
    NamedForm("Minor ii-V-I", "Cm", _MINOR_TWO_FIVE_ONE),
    NamedForm("Turnarounds", "C", _TURNAROUNDS),
    NamedForm("Modal AABA", "Dm", _MODAL_AABA),
    NamedForm("Minor vamp", "Dm", "|: Dm7 :| x8"),
    NamedForm("Dominant vamp", "G", "|: G7 :| x8"),
    NamedForm("Major vamp", "C", "|: Cmaj7 :| x8"),
)


def form_key(name: str) -> str:
    """Return what names of forms are compared by: case and hyphens do not count."""
    return " ".join(name.lower().replace("-", " ").split())


NAMED_FORMS: Final = {form_key(form.title): form for form in _FORMS}
"""The forms by `form_key` of their titles."""

NAMED_CHARTS: Final = tuple(form.name for form in _FORMS)
"""The names of the built-in charts."""
