"""The documentation site: the pages of docs/, pages generated from the code, and checks of the built site."""
