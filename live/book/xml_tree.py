"""XML from files of unknown origin: no entities, no external parts, bounded depth and size."""

from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from tatumflow.engine.errors import ChartError

_DEEPEST: Final = 100


def parse_xml(data: bytes) -> Element:
    """Return the root element of a document.

    A document that declares an entity is refused, so that none can grow; parts outside it are never read.

    Raises:
        ChartError: if it is not well formed, declares an entity, or is nested over 100 levels deep.
    """
    builder = TreeBuilder()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise ChartError(f"its XML is nested over {_DEEPEST} levels deep; it is no score")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> None:
        raise ChartError("its XML declares entities, which no score needs; export it again")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    parser.UnparsedEntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, ValueError, LookupError, AssertionError) as error:
        raise ChartError(f"is not well-formed XML ({error}); export it again") from None
