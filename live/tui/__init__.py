"""The screen: shows the engine's snapshots and sends it commands, in a process of its own."""
