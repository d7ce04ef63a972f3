"""What each HTTP library calls on an auth object; none is imported here, so that one object can have them all."""
