"""Programs as Authlib's documentation describes them. They run on doorkey with only the name of the package changed."""
