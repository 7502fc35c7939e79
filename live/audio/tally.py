"""Counts of the faults in the audio of a session."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Counts; each is added to by one thread only.

    Attributes:
        xruns: Blocks before which the device lost frames or ran out of them.
        overflow_frames: Frames that the separation thread never got, since it had stood still for seconds.
        bad_input_frames: Frames of the device that were not finite; replaced by silence.
        dropouts: Times that the dry signal stood in for the stems.
        dry_frames: Frames in which it did, its fades included.
        model_faults: Blocks for which the model failed, or gave values that are not finite.
        skips: Times that the separation was too late and left out what it could not play any more.
        input_clips: Frames at the device's full scale.
        limited_frames: Frames of the mix that were too loud, and limited.
    """

    xruns: int = 0
    overflow_frames: int = 0
    bad_input_frames: int = 0
    dropouts: int = 0
    dry_frames: int = 0
    model_faults: int = 0
    skips: int = 0
    input_clips: int = 0
    limited_frames: int = 0
