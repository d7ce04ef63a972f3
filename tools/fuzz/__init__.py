"""Fuzzing: each parser that reads bytes from outside, with inputs that nobody wrote (`./dev fuzz`)."""
