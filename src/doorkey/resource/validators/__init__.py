"""Validators of access tokens that programs written for Authlib subclass, and their protector."""
