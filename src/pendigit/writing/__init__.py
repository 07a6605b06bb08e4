"""How pages of handwriting are made up, whose truth is known: for tests, measurements and training."""
