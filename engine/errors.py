"""Expected errors. Each message states what went wrong, where, and what to do."""


class TatumFlowError(Exception):
    """Base of every expected error; the command line prints its message as one line and exits with 1."""


class MidiFileError(TatumFlowError):
    """A MIDI file that cannot be read or written."""


class BundleError(TatumFlowError):
    """A model bundle that is missing, damaged, or of a newer format."""


class SettingError(TatumFlowError):
    """A setting outside its allowed range or of an unknown name."""


class PortError(TatumFlowError):
    """A MIDI port that does not exist or cannot be opened."""


class DeviceError(TatumFlowError):
    """An audio device, synthesizer library or SoundFont that is missing."""


class EngineStartError(TatumFlowError):
    """An engine process that does not start, or is not ready in time."""


class SchedulerError(TatumFlowError):
    """Notes that cannot be sent, because the scheduler thread keeps dying."""


class AudioFileError(TatumFlowError):
    """A sound file that cannot be read or written."""


class CorpusError(TatumFlowError):
    """A corpus that cannot be found or holds nothing usable."""


class ChordError(TatumFlowError):
    """A chord symbol that cannot be parsed."""


class ChartError(ChordError):
    """A chord chart that cannot be read or parsed."""


class ModelFault(TatumFlowError):  # noqa: N818
    """A model whose output is not finite; nothing of it enters the context."""


class DownloadError(TatumFlowError):
    """A file that cannot be downloaded, or that is another than expected."""
