"""Validators of access tokens, which programs written for Authlib subclass, and their protector."""
