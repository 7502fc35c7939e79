"""The process that hears, away from the one that plays: what it starts with and how it ends.

Nothing heavy is imported before the process has begun, since the engine's process imports this module too.
"""

import faulthandler
import os
import signal
import sys
import traceback
from multiprocessing.connection import Connection

from tatumflow.engine.errors import TatumFlowError
from tatumflow.live.processes.ears_options import EarsOptions
from tatumflow.live.processes.ears_pipe import EarsFailure, EngineEnd
from tatumflow.live.processes.engine_log import log_path
from tatumflow.live.processes.thread_switching import SWITCH_SECONDS


def run_ears(options: EarsOptions, connection: Connection) -> None:
    """Hear until told to shut down, or until the other end is gone; then end the process.

    What is printed goes where the engine's process prints.

    Args:
        options: What to start with.
        connection: Gives `AudioCommand`s and a `Shutdown`, takes `EarsReport`s.
    """
    # A key that interrupts the whole group is for the engine, which tells us when to end.
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    faulthandler.enable()
    # The audio callback must not wait for the separation to hand the interpreter over.
    sys.setswitchinterval(SWITCH_SECONDS)
    engine = EngineEnd(connection)
    try:
        from tatumflow.live.processes.ears_loop import open_ears

        ears = open_ears(options, engine, connection)
        try:
            ears.run()
        finally:
            ears.close()
    except TatumFlowError as error:
        engine.report(EarsFailure(str(error), expected=True))
    except Exception as error:
        traceback.print_exc()
        text = f"the ears stopped: {type(error).__name__}: {error}; details in {log_path()}"
        engine.report(EarsFailure(" ".join(text.split()), expected=False))
    engine.close()
    # As with the engine: what is left is to take down C libraries in an order nobody chose.
    sys.stderr.flush()
    os._exit(0)
