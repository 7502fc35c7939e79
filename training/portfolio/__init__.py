"""A page, a demo and talk slides about a model, from the figures that the commands wrote."""
