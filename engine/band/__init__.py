"""The band: walking bass, comping and drums over a chart, deterministic by seed, in beats."""
