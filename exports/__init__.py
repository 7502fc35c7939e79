"""Exported models, a folder each: `manifest.json`, ONNX graphs, and a card for people."""
