"""Options of ONNX Runtime's TensorRT provider, which builds and stores an engine of the trunk."""

from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from tatumflow.engine.model.bundle import DECODER_GRAPH, Bundle
from tatumflow.engine.model.kv_cache import MAX_STEPS
from tatumflow.engine.model.metre import METRE_SIZES
from tatumflow.engine.model.tokens import FIELDS

_HASH_SHOWN: Final = 16
_CACHE: Final = "trt_engine_cache"
_CACHE_PATH: Final = f"{_CACHE}_path"


def tensorrt_options(bundle: Bundle) -> dict[str, str]:
    """Return the options that build and store one engine of the trunk for every number of steps.

    A profile must cover every input with a free axis. ONNX Runtime identifies an engine by the names of file
    and nodes, not by their weights; hence a folder for each graph.
    """
    shape = bundle.shape

    def sizes(steps: int) -> str:
        rows = {"fields": (steps, len(FIELDS)), "role": (steps,), "style": (steps, shape.num_styles)}
        rows |= {"chord": (steps,), "phrase": (steps, shape.phrase_dim)}
        rows |= {"metre": (steps, len(METRE_SIZES))} if shape.metre else {}
        rows |= {name: (steps, shape.head_dim // 2) for name in ("cos", "sin")}
        rows |= {"bias": (steps, shape.cache_rows + steps)}
        return ",".join(f"{name}:{'x'.join(map(str, size))}" for name, size in rows.items())

    graph = bundle.graph_file(DECODER_GRAPH, gpu=True)
    engines = user_cache_path("tatumflow", appauthor=False) / "tensorrt" / graph.sha256[:_HASH_SHOWN]
    return {
        f"{_CACHE}_enable": "1",
        _CACHE_PATH: str(engines),
        "trt_profile_min_shapes": sizes(1),
        "trt_profile_opt_shapes": sizes(1),
        "trt_profile_max_shapes": sizes(min(MAX_STEPS, shape.cache_rows)),
    }


def with_engine_folder(options: dict[str, str]) -> dict[str, str]:
    """Create the folder of the engines; ONNX Runtime creates only its last part.

    Returns:
        The options, without those of the folder if it cannot be created.
    """
    try:
        Path(options[_CACHE_PATH]).mkdir(parents=True, exist_ok=True)
    except OSError:
        return {name: value for name, value in options.items() if not name.startswith(_CACHE)}
    return options
