"""Fuzzing: each parser that reads bytes from outside, with generated inputs (`./dev fuzz`)."""
