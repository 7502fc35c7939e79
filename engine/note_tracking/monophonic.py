"""Monophonic transcription: a horn, a singer, a line on any instrument."""

from tatumflow.engine.note_tracking.pitch_frame import PitchFrame
from tatumflow.engine.note_tracking.segmentation import NoteSegmenter, SegmentationSettings
from tatumflow.engine.note_tracking.stream import StreamTracker
from tatumflow.engine.note_tracking.swift_f0 import HOP, RATE, SwiftF0


class MonophonicTracker(StreamTracker[PitchFrame]):
    """Transcribes one voice with SwiftF0; repeated notes are reported one frame later than others."""

    def __init__(self, settings: SegmentationSettings | None = None) -> None:
        """Open the pitch model.

        Args:
            settings: Thresholds of onsets and of held notes.

        Raises:
            BundleError: if the model cannot be run.
        """
        settings = settings or SegmentationSettings()
        super().__init__(SwiftF0(), lambda: NoteSegmenter(settings), settings.new_frames * HOP / RATE)
