"""`./dev dist`: the wheel and the source distribution, built so that anyone gets the same bytes, and tested as installed."""
