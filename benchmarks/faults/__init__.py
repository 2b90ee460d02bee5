"""Faults under a running load: what is promised of each, tried again and again.

`gateway.py` is a GitLab that fails in many ways, `work.py` what clients do meanwhile, `rig.py` all
of it running, `injected.py` the faults, `audit.py` what must be true afterwards. The short tests in
tests/test_holding_faults.py use the same parts.
"""
