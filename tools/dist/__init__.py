"""`./dev dist`: builds the wheel and the source distribution reproducibly, and tests the installed package."""
