"""Options of commands that set live controls and settings, built from their declarations."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from tatumflow.engine.controls import CONTROL_SPECS
from tatumflow.engine.errors import SettingError

_CHANGES: Final = "changes"
_SET: Final = "assignments"


@dataclass(frozen=True)
class SettingOption:
    """A name of its own, on the command line, for a control or a setting that `--set` sets as well.

    Attributes:
        flags: As typer takes them, such as "--tempo" or "--virtual/--no-virtual".
        setting: The control or setting, as `Settings.with_changes` names it.
        help: Sentence of the help; empty for the control's own.
        on: Value that a switch without an argument sets; None where an argument gives the value.
        metavar: What stands for the value in the help; by default NUMBER for a number, else TEXT.
        many: Whether it may be given several times, for a list of whole numbers.
        hidden: Whether the help leaves it out.
    """

    flags: str
    setting: str
    help: str = ""
    on: bool | None = None
    metavar: str = ""
    many: bool = False
    hidden: bool = False

    @property
    def annotation(self) -> Any:  # noqa: ANN401
        """The annotated type of the command's parameter."""
        spec = CONTROL_SPECS.get(self.setting)
        option = typer.Option(
            self.flags,
            help=self.help or (spec.full_help if spec else ""),
            metavar=self.metavar or ("NUMBER" if spec and spec.is_number else "TEXT"),
            hidden=self.hidden,
            show_default=False,
            autocompletion=_completion(spec.choices) if spec and spec.choices else None,
        )
        kind = list[int] if self.many else str if self.on is None else bool
        return Annotated[kind | None, option]

    def value(self, given: object) -> object:
        """Return the value that the setting gets for what was given."""
        if self.on is None:
            return tuple(given) if isinstance(given, list) else given
        return self.on == given


def settable(*options: SettingOption) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command these options and `--set`; it gets them together, as its argument `changes`.

    What `--set` gives comes after the options, so that it wins. The order of the help is that of the
    command's parameters, with the options in the place of `changes`.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        named = {option.setting.replace(".", "_"): option for option in options}

        def run(**given: Any) -> None:  # noqa: ANN401
            changes: dict[str, object] = {}
            for name, option in named.items():
                value = given.pop(name)
                if value is not None and value != []:
                    changes[option.setting] = option.value(value)
            command(changes=changes | assignments(given.pop(_SET) or ()), **given)

        parameters: list[inspect.Parameter] = []
        for parameter in inspect.signature(command).parameters.values():
            if parameter.name == _CHANGES:
                parameters += [_parameter(name, option.annotation) for name, option in named.items()]
            else:
                parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
        parameters.append(_parameter(_SET, _SET_ANNOTATION))
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        run.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
        return run

    return decorate


def assignments(pairs: Sequence[str]) -> dict[str, object]:
    """Return names and values of controls and settings given as NAME=VALUE.

    Raises:
        SettingError: if one of them is not so written.
    """
    changes: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SettingError(f"--set: {pair!r} is not NAME=VALUE; write for example temperature=0.8")
        changes[name.strip()] = value.strip()
    return changes


def _parameter(name: str, annotation: Any) -> inspect.Parameter:  # noqa: ANN401
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _completion(words: Sequence[str]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return complete


def _complete_names(incomplete: str) -> list[str]:
    from tatumflow.live.settings import setting_names

    return [f"{name}=" for name in setting_names() if name.startswith(incomplete)]


_SET_ANNOTATION: Final = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Any control or setting, such as audio.stem=horn; again for more; see `tatumflow controls`.",
        show_default=False,
        autocompletion=_complete_names,
    ),
]
