#!/usr/bin/env python3
"""Print the structure of the three packages: files, imports between them, circles, lengths, public names.

Run it as `.venv/bin/python .make/structure.py`. A package's children are its own files and its subpackages;
an arrow is an import from one child to another, and its floors are the layers in which the children can be
stacked so that every arrow points down.
"""

import ast
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import grimp

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("engine", "live", "training")

_Arrows = Mapping[str, set[str]]


@dataclass(frozen=True)
class Shape:
    """The imports among the children of one package.

    Attributes:
        package: Its path, such as "engine/model".
        files: Modules directly in it.
        subpackages: Packages directly in it.
        arrows: Pairs of children of which one imports the other.
        floors: Layers of children; 0 where imports go round in a circle.
        circle: Children on a circle, the first again at its end; empty where there is none.
    """

    package: str
    files: int
    subpackages: int
    arrows: int
    floors: int
    circle: tuple[str, ...]


def shapes() -> list[Shape]:
    """Return the shape of every package, the three of the first level before what is in them."""
    graph = grimp.build_graph(*(f"tatumflow.{name}" for name in PACKAGES), cache_dir=None)
    modules = sorted(graph.modules)
    packages = [name for name in modules if _path(name).is_dir()]
    return [_shape(graph, package, modules) for package in packages]


def _shape(graph: grimp.ImportGraph, package: str, modules: Iterable[str]) -> Shape:
    depth = package.count(".") + 1
    children = [name for name in modules if name.startswith(package + ".") and name.count(".") == depth]
    imports: dict[str, set[str]] = {child: set() for child in children}
    for module in modules:
        child = _child(module, package)
        if child is None:
            continue
        for imported in graph.find_modules_directly_imported_by(module):
            other = _child(imported, package)
            if other is not None and other != child:
                imports[child].add(other)
    floors, circle = _floors(imports)
    loose = [child for child in children if not _path(child).is_dir()]
    return Shape(
        "/".join(package.split(".")[1:]),
        len(loose),
        len(children) - len(loose),
        sum(map(len, imports.values())),
        floors,
        circle,
    )


def _child(module: str, package: str) -> str | None:
    """Return the child of a package that a module is or lies in; None for modules elsewhere."""
    if not module.startswith(package + "."):
        return None
    return ".".join(module.split(".")[: package.count(".") + 2])


def _floors(imports: _Arrows) -> tuple[int, tuple[str, ...]]:
    """Return the number of layers, and a circle if there is one."""
    try:
        order = list(TopologicalSorter(imports).static_order())
    except CycleError as error:
        return 0, tuple(name.split(".")[-1] for name in error.args[1])
    level: dict[str, int] = {}
    for name in order:
        level[name] = 1 + max((level[other] for other in imports[name]), default=0)
    return max(level.values(), default=0), ()


def _path(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")[1:])


def public_names(file: Path) -> int:
    """Return how many public functions, classes and constants a module defines."""
    names: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
    return sum(not name.startswith("_") for name in names)


def main() -> int:
    """Print the tables; return 1 if imports go round in a circle anywhere."""
    found = shapes()
    print(f"{'package':36}{'files':>7}{'packages':>10}{'arrows':>8}{'floors':>8}  circle")
    for shape in found:
        circle = " -> ".join(shape.circle)
        counts = f"{shape.files:7}{shape.subpackages:10}{shape.arrows:8}{shape.floors:8}"
        print(f"{shape.package:36}{counts}  {circle}")
    print()
    print(f"{'package':12}{'modules':>9}{'lines':>9}{'names a module':>16}  longest file")
    for package in PACKAGES:
        files = sorted((ROOT / package).rglob("*.py"))
        lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
        longest = max(files, key=lambda file: lines[file])
        names = [public_names(file) for file in files if file.name != "__init__.py"]
        print(
            f"{package:12}{len(files):9}{sum(lines.values()):9,}{sum(names) / len(names):16.1f}"
            f"  {longest.relative_to(ROOT)} ({lines[longest]})"
        )
    return int(any(shape.circle for shape in found))


if __name__ == "__main__":
    sys.exit(main())
