"""Registrations, and one contract suite for the registry of each framework."""
