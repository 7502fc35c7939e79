"""`tatumflow models`: what is installed, where it is, and what is fetched from the Hugging Face Hub."""

from collections.abc import Callable
from pathlib import Path

from tatumflow.engine.errors import BundleError, DownloadError
from tatumflow.engine.melodies.bundle import find_melody_models, load_melodies, melodies_path
from tatumflow.engine.model.bundle import bundle_path, find_bundles, load_bundle
from tatumflow.engine.rolls.bundle import find_roll_models, load_rolls, rolls_path
from tatumflow.engine.separation.bundle import find_separators, load_separator, separator_path
from tatumflow.live.commands.progress import WorkProgress
from tatumflow.live.hub.catalogue import find_source, load_catalogue
from tatumflow.live.hub.install import (
    comes_along,
    install,
    installed_at,
    is_pinned,
    is_same,
    look_up,
    models_folder,
)


def print_models(*, styles: bool, catalogue: Path | None = None) -> None:
    """Print every model found, damaged ones with what is wrong, then those of the catalogue to fetch.

    Raises:
        BundleError: if there is none.
        SettingError: if the catalogue cannot be read.
    """
    found = find_bundles()
    if not found:
        raise BundleError("no model found; fetch one with `tatumflow models get`, or use `tatumflow export`")
    for path in found:
        try:
            bundle = load_bundle(path)
        except BundleError as error:
            print(f"{path.name}: {error}")
            continue
        manifest = bundle.manifest
        print(
            f"{bundle.name}: {manifest.family}, {len(bundle.styles) - 1} styles, window {manifest.window}, "
            f"{manifest.licence}\n  in {path}"
        )
        if styles:
            print("\n".join(f"  {slug}" for slug in bundle.styles if slug))
    _print_others()
    for name, entry in load_catalogue(catalogue).items():
        if installed_at(name) is None:
            print(f"{name}: not installed; `tatumflow models get {name}` fetches it from {entry.repo}")


def get_model(name: str, *, catalogue: Path | None = None, replace: bool = False) -> Path:
    """Fetch a model by its name in the catalogue, or as USER/NAME, and return its folder.

    Args:
        name: Its name, or a repository of the Hub with an optional @REVISION.
        catalogue: A catalogue instead of the one that comes with TatumFlow.
        replace: Replace another model of the same name among the user's own.

    Raises:
        SettingError: if the name is unknown.
        DownloadError: if it cannot be fetched, is damaged, or another model has its name.
        BundleError: if it is of a newer version.
    """
    names = load_catalogue(catalogue)
    present = installed_at(name) if "/" not in name else None
    if present is not None and (comes_along(present) or name not in names or is_pinned(names[name], present)):
        print(f"{name} is here already, in {present}")
        return present
    model = look_up(find_source(name, names))
    present = installed_at(model.name)
    if present is not None and is_same(model, present):
        print(f"{model.name} is here already, in {present}")
        return present
    if present is not None and comes_along(present):
        raise DownloadError(
            f"{model.name}: not fetched, as a model of this name comes with TatumFlow; use that"
        )
    if present is not None and not replace:
        raise DownloadError(f"{present}: another model of this name; --replace puts this one in its place")
    arrived = 0
    with WorkProgress(f"fetching {model.name}", model.bytes / 1e6, "MB") as progress:

        def show(count: int) -> None:
            nonlocal arrived
            arrived += count
            progress.show(arrived / 1e6)

        folder = install(model, models_folder(), show)
    print(f"{model.name}: {model.bytes / 1e6:.1f} MB, {model.licence}, in {folder}\n  from {model.url}")
    return folder


def model_path(name: str) -> Path:
    """Return the folder of a model of any kind.

    Raises:
        BundleError: if there is none of this name.
    """
    others = (
        (find_separators, separator_path),
        (find_melody_models, melodies_path),
        (find_roll_models, rolls_path),
    )
    try:
        return bundle_path(name)
    except BundleError:
        for find, path_of in others:
            if any(path.name == name for path in find()):
                return path_of(name)
        raise


def _print_others() -> None:
    """Print the models of other kinds."""
    for path in find_separators():
        _print_model(path, _separator_line)
    for path in find_melody_models():
        _print_model(path, _melodies_line)
    for path in find_roll_models():
        _print_model(path, _rolls_line)


def _print_model(path: Path, line: Callable[[Path], str]) -> None:
    try:
        print(f"{line(path)}\n  in {path}")
    except BundleError as error:
        print(f"{path.name}: {error}")


def _separator_line(path: Path) -> str:
    manifest = load_separator(path).manifest
    stems = ", ".join(manifest.stem_set.names)
    return f"{manifest.name}: {manifest.family}, separates {stems}, {manifest.licence}"


def _melodies_line(path: Path) -> str:
    manifest = load_melodies(path).manifest
    return f"{manifest.name}: {manifest.family}, melodies of {manifest.bars} bars, {manifest.licence}"


def _rolls_line(path: Path) -> str:
    manifest = load_rolls(path).manifest
    return f"{manifest.name}: {manifest.family}, rolls of {manifest.width} steps, {manifest.licence}"
