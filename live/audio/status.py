"""The state of the audio input, as the screen shows it."""

from dataclasses import asdict, dataclass, field
from typing import Literal

from tatumflow.live.audio.levels import Level
from tatumflow.live.audio.stem_mixer import StemMix
from tatumflow.live.audio.tally import Tally

AudioState = Literal["open", "lost", "closed"]


@dataclass(frozen=True, slots=True)
class StemStatus:
    """A stem.

    Attributes:
        name: Of the model's stems.
        level: Before the mixer.
        mix: Its gain, mute and solo.
        plays: Whether it is transcribed for the companion.
    """

    name: str
    level: Level = field(default_factory=Level)
    mix: StemMix = field(default_factory=StemMix)
    plays: bool = False


@dataclass(frozen=True, slots=True)
class AudioLatency:
    """How far the monitor is behind the input, in seconds.

    Attributes:
        algorithmic: What the model and the change of rates would take if computing took no time.
        monitor: From input to output inside the program: `algorithmic`, computing, block and fade.
        device: Delay that the device reports.
        ready_p99: Measured, from the arrival of a sample until its stems were mixed, 99th percentile of the
            last 1,000 blocks; 0 before the first.
    """

    algorithmic: float = 0.0
    monitor: float = 0.0
    device: float = 0.0
    ready_p99: float = 0.0


@dataclass(frozen=True, slots=True)
class AudioFaults:
    """What has gone wrong since the session began; see `tally.Tally`."""

    xruns: int = 0
    overflow_frames: int = 0
    bad_input_frames: int = 0
    dropouts: int = 0
    dry_frames: int = 0
    model_faults: int = 0
    skips: int = 0
    input_clips: int = 0
    limited_frames: int = 0

    @classmethod
    def of(cls, tally: Tally) -> "AudioFaults":
        """Return what a tally counts now."""
        return cls(**asdict(tally))


@dataclass(frozen=True, slots=True)
class AudioStatus:
    """The audio input and the monitor at one moment.

    Attributes:
        state: Whether a device is open, was lost and is looked for, or was closed.
        input: Name of the input device; empty where there is none.
        output: Name of the output device, likewise.
        rate: Frames a second of the device; 0 where there is none.
        model_rate: Of the model.
        input_level: Level of the input.
        stems: In the model's order.
        separated: Share of the stems in what is played now; 1 - this is dry.
        bypass: Whether the dry signal is played on purpose.
        latency: How far the monitor is behind.
        cost_p99: Computing for each second of sound, 99th percentile of the last 1,000 blocks; above 1 is too
            slow.
        faults: Counts.
        recording: Folder of the stems being recorded; empty if none.
    """

    state: AudioState = "closed"
    input: str = ""
    output: str = ""
    rate: int = 0
    model_rate: int = 0
    input_level: Level = field(default_factory=Level)
    stems: tuple[StemStatus, ...] = ()
    separated: float = 0.0
    bypass: bool = False
    latency: AudioLatency = field(default_factory=AudioLatency)
    cost_p99: float = 0.0
    faults: AudioFaults = field(default_factory=AudioFaults)
    recording: str = ""

    @property
    def playing(self) -> str:
        """Name of the stem that is transcribed for the companion; empty for none."""
        return next((stem.name for stem in self.stems if stem.plays), "")
