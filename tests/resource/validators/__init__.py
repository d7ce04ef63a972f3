"""Programs that were written for Authlib's resource servers, with the package name changed."""
