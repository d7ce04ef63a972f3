"""The parts of `doorkey inspect`: it reads a token, verifies it and shows the results."""
