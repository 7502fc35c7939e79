"""Still moments of a session, each the same on every machine."""

from dataclasses import replace

from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import Health, HeardBeat, HeardChord, PortStatus, Position, RollNote, Snapshot
from tatumflow.engine.midi.notes import Role
from tatumflow.live.audio.levels import Level
from tatumflow.live.audio.status import AudioFaults, AudioLatency, AudioStatus, StemStatus
from tatumflow.live.audio.stem_mixer import StemMix
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


def moving() -> StillLink:
    """The band plays a tune with sections; its bridge is in progress, the second time around."""
    moment = demonstration()
    controls = replace(moment.controls, chords="rhythm changes in Bb", band=1, trade_bars=8, tempo_step=5.0)
    position = Position(
        bar=51,
        beat=3,
        beats_per_bar=4,
        tempo=125.0,
        turn_bars=8,
        chord="G7",
        next_chord="C7",
        chart_bar=18,
        chorus=2,
    )
    return StillLink(replace(moment, controls=controls, position=position))


def following() -> StillLink:
    """The beat of the user's playing is followed over a chart."""
    moment = demonstration()
    return StillLink(
        replace(
            moment,
            controls=replace(moment.controls, chords="blues in F", clock="listen"),
            position=Position(bar=7, beat=3, beats_per_bar=4, tempo=132.5, chord="F7", next_chord="D7"),
            heard=HeardBeat(confidence=0.83, tempo=132.5),
        )
    )


def rubato() -> StillLink:
    """The user plays out of time: no beat is followed."""
    moment = demonstration()
    controls = replace(moment.controls, clock="listen")
    return StillLink(
        replace(moment, turn="listening", controls=controls, heard=HeardBeat(confidence=0.21, tempo=None))
    )


def harmony() -> StillLink:
    """The user plays without a chart, and the companion hears the chord."""
    moment = demonstration()
    controls = replace(moment.controls, hear_chords=1)
    return StillLink(
        replace(moment, turn="listening", controls=controls, heard_chord=HeardChord("Dm7", 0.78))
    )


def learning() -> StillLink:
    """The companion plays; the next MIDI controller that moves will steer the temperature."""
    return StillLink(replace(demonstration(), learning="temperature"))


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


def hearing() -> StillLink:
    """Ears on a separated quartet; the companion answers the horn, the drums are too loud and muted."""
    return StillLink(
        demonstration(),
        sound=AudioStatus(
            state="open",
            input="Scarlett 2i2",
            output="Scarlett 2i2",
            rate=48_000,
            model_rate=44_100,
            input_level=Level(peak=0.71, rms=0.22),
            stems=(
                StemStatus("horn", Level(peak=0.5, rms=0.16), StemMix(gain_db=-3.0), plays=True),
                StemStatus("piano", Level(peak=0.12, rms=0.045), StemMix(gain_db=4.0)),
                StemStatus("bass", Level(peak=0.3, rms=0.11)),
                StemStatus("drums", Level(peak=1.0, rms=0.56), StemMix(muted=True)),
            ),
            separated=1.0,
            latency=AudioLatency(algorithmic=0.058, monitor=0.093, device=0.011, ready_p99=0.071),
            cost_p99=0.34,
        ),
    )


def struggling() -> StillLink:
    """Ears whose model is too slow: the dry signal fades in for the stems, which are recorded; bass solo."""
    link = hearing()
    assert link.sound is not None
    horn, piano, bass, drums = link.sound.stems
    return replace(
        link,
        sound=replace(
            link.sound,
            stems=(horn, piano, replace(bass, mix=StemMix(soloed=True)), drums),
            separated=0.35,
            cost_p99=1.3,
            faults=AudioFaults(dropouts=12, input_clips=3),
            recording="jam stems",
        ),
    )


def unplugged() -> StillLink:
    """The audio device was unplugged."""
    link = hearing()
    assert link.sound is not None
    sound = replace(link.sound, state="lost", input="", output="", rate=0, separated=0.0)
    return replace(link, sound=sound)
