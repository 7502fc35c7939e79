"""A page of samples in every mode and several styles, each chosen from several candidates by figures."""
