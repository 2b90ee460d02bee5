"""What the portal's figures are, measured beside nginx and other proxies in one run.

    make bench
    python -m benchmarks [NAME...] [--rounds N] [--quick]    # the names: --help

One machine's numbers say little about another's, so each round runs every proxy in turn, and what
counts is the median of each round's ratio to nginx. Everything runs on 127.0.0.1.
"""
