"""The parts of a run's page, a function each from its facts to a `Section`."""
