"""The help of `tatumflow`: its commands in groups, as plain text."""

from typing import Any, Final

from typer.core import TyperGroup

GROUPS: Final = ("Play", "Listen", "Models", "Train", "Measure")
"""Headings of the help, in order; a command gives its own as typer's `rich_help_panel`."""

_WHOLE: Final = 1000
"""Characters of a first sentence at most: it goes on in the next line, rather than end in dots."""


class GroupedCommands(TyperGroup):
    """Lists the commands under their headings.

    typer itself heads them only where Rich draws the help, in boxes that are no good to read in a pipe.
    """

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Write the commands, group by group, each with its first sentence."""
        groups: dict[str, list[tuple[str, Any]]] = {group: [] for group in GROUPS}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is None or command.hidden:
                continue
            panel = getattr(command, "rich_help_panel", None)
            groups.setdefault(panel if isinstance(panel, str) else "More", []).append((name, command))
        widest = max((len(name) for commands in groups.values() for name, _ in commands), default=0)
        for group, commands in groups.items():
            if commands:
                with formatter.section(group):
                    rows = [
                        (name.ljust(widest), command.get_short_help_str(_WHOLE)) for name, command in commands
                    ]
                    formatter.write_dl(rows)
