"""Times Notochord on notes read from standard input; run by a Python that has it, without this package.

A line holds notes, [[pitch, seconds since the one before, velocity], ...]; the answer is a line of the
seconds that each took. A note is two events, on and off, each fed and followed by a query for the next.
Weights are random, on one thread: what they are does not change what they cost.
"""

import json
import sys
import time
from importlib import import_module

_PIANO = 1


def main() -> None:
    """Answer line by line."""
    # Found at run time: this program belongs to the peer's environment, not to what imports this package.
    torch = import_module("torch")
    torch.set_num_threads(1)
    model = import_module("notochord").Notochord()
    model.eval()
    model.reset()
    print(json.dumps({"parameters": sum(weight.numel() for weight in model.parameters())}), flush=True)
    for line in sys.stdin:
        seconds = []
        for pitch, shift, velocity in json.loads(line):
            began = time.perf_counter()
            with torch.inference_mode():
                model.feed_query(_PIANO, pitch, shift, velocity)
                model.feed_query(_PIANO, pitch, shift / 2, 0)
            seconds.append(time.perf_counter() - began)
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()
