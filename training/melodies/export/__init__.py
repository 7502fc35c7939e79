"""Export of models of melodies: graphs, attributes, classifier, model card."""
