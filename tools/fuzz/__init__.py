"""Fuzzing: tests each parser of untrusted bytes with generated inputs (`./dev fuzz`)."""
