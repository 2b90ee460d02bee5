"""Benchmarks: the portal beside nginx and other proxies, in one run.

    make bench
    python -m benchmarks [NAME...] [--rounds N] [--quick]    # the names: --help

The numbers of one machine say little about another, so each round runs every proxy in turn, and the
result is the median of the rounds' ratios to nginx. Everything runs on 127.0.0.1.
"""
