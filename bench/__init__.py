"""Measures doorkey, bare clients and other libraries in one run: `./dev bench`."""
