"""The process that plays, away from any screen: what it starts with and how it ends.

Nothing heavy is imported before the process has begun, since the screen's process imports this module too.
"""

import os
import sys
import traceback
from multiprocessing.connection import Connection

from tatumflow.engine.errors import TatumFlowError
from tatumflow.live.midi.output_pipe import OutputChannel
from tatumflow.live.processes.engine_log import EngineLog, log_path
from tatumflow.live.processes.engine_options import EngineOptions
from tatumflow.live.processes.screen_pipe import EngineFailure
from tatumflow.live.processes.thread_switching import SWITCH_SECONDS


def run_engine(options: EngineOptions, connection: Connection, channel: OutputChannel | None = None) -> None:
    """Play until told to shut down, until a signal, or until the other end is gone; then end the process.

    Args:
        options: What to start with.
        connection: Gives `Command`s, takes `Report`s.
        channel: To the process that holds the MIDI outputs; None opens them in this one.
    """
    log = EngineLog(log_path())
    sys.setswitchinterval(SWITCH_SECONDS)
    from tatumflow.live.processes.engine_loop import Engine

    engine = Engine(options, connection, log, channel)
    try:
        engine.run()
    except TatumFlowError as error:
        engine.report(EngineFailure(str(error), expected=True))
    except Exception as error:
        traceback.print_exc()
        text = f"the engine stopped: {type(error).__name__}: {error}; details in {log_path()}"
        engine.report(EngineFailure(" ".join(text.split()), expected=False))
    finally:
        engine.close()
    # All is silent, saved, closed and said. What is left is to take down the interpreter and the C libraries
    # in it, in an order nobody chose and with threads still there: a crash in that would be told to the
    # player as the engine's.
    sys.stderr.flush()
    os._exit(0)
