"""The library of calculators: each module is one, with its parameters, its page and what it does with columns.

A module's name is the calculator's, with ``-`` for ``_``. The operator reads parameters alone and has no libraries of
columns: those are loaded when a calculator is applied (``kit.columns``). What calculators share is in ``kit``.
"""
