"""Threads, tasks, event loops, forks and time: the only package that distinguishes asyncio from trio."""
