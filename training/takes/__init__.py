"""The weights by which takes are chosen: sampled takes beside players' notes, and the fit."""
