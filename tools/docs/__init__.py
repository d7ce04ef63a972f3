"""The documentation site: the pages of docs/, pages made from the code, and the check of what was built."""
