"""Beat tracker: training, labels of a corpus, accuracy."""
