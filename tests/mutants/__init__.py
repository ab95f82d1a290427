"""Faults that somebody could make in a template, one at a time: the tests named beside each must find it.

A YAML file here lists the mutants of one template: what the fault is, the module, the text of it that is replaced and
by what, and the tests of which one must fail. ``test_mutants.py`` holds that they do, and that they pass without one.
"""
