"""Fault injection under load: each fault, again and again, with a check of what is promised.

`gateway.py` is a GitLab that fails in many ways, `work.py` the clients, `rig.py` runs all of it,
`injected.py` has the faults, `audit.py` checks the result. The short tests in
`tests/operations/test_fault_trials.py` use the same parts.
"""
