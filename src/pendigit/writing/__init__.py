"""How digits get written: forms, pens, papers. Makes pictures whose truth is known, for training and for tests."""
