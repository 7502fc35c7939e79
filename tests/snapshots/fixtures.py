"""Still moments of a session, each the same on every machine."""

from dataclasses import replace

from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import Health, PortStatus, Position, RollNote, Snapshot
from tatumflow.engine.notes import Role
from tatumflow.live.tui.demonstration import STYLES, StillLink, demonstration

NOW = 50.0


def listening() -> StillLink:
    """You hold a chord; nothing is planned; the timing is out of its bounds."""
    notes = [
        RollNote(Role.HUMAN, NOW - 7.5 + 0.5 * step, 0.4, pitch, 80)
        for step, pitch in enumerate((60, 62, 64, 67, 69, 72, 71, 67))
    ]
    notes += [RollNote(Role.HUMAN, NOW - 1.2, None, pitch, 90) for pitch in (48, 55, 64)]
    return StillLink(
        Snapshot(
            time=NOW,
            turn="listening",
            controls=Controls(style="charlie-parker", style_b="art-tatum", style_blend=0.25, density=-0.5),
            notes=tuple(notes),
            held=tuple((Role.HUMAN, pitch) for pitch in (48, 55, 64)),
            health=Health(
                send_lateness_p99_ms=6.4,
                note_cost_p50_ms=7.2,
                first_note_ms=None,
                late_notes=2,
                model_faults=1,
            ),
            inputs=(PortStatus("Keystation 61", True, NOW - 0.05), PortStatus("Launchpad", False)),
            outputs=(PortStatus("built-in synth", True, NOW - 3.0),),
            model="tatumflow-live",
            styles=STYLES,
        )
    )


def playing() -> StillLink:
    """The companion plays and has more planned."""
    return StillLink(demonstration())


def trading() -> StillLink:
    """Turns of four bars are traded over a chart, by a clock outside."""
    moment = demonstration()
    return StillLink(
        replace(
            moment,
            controls=replace(moment.controls, chords="blues in F", clock="midi", trade_bars=4, swing=0.5),
            position=Position(
                bar=7, beat=3, beats_per_bar=4, tempo=132.5, turn_bars=4, chord="F7", next_chord="D7"
            ),
        )
    )


def no_ports() -> StillLink:
    """A first run: ports are there, none is connected but the synthesizer."""
    return StillLink(
        replace(
            demonstration(),
            turn="listening",
            notes=(),
            held=(),
            inputs=(PortStatus("Keystation 61", False), PortStatus("Launchpad", False)),
            outputs=(PortStatus("built-in synth", True), PortStatus("IAC Bus 1", False)),
        )
    )


def engine_dead() -> StillLink:
    """The engine died in the middle of an answer."""
    return StillLink(
        demonstration(),
        alive=False,
        failure="The engine ended with signal 11. All notes are off and the recording is kept.",
    )
