"""The crash matrix: the real worker process, killed and starved in every way that we could think of."""
