"""The API of the stream job operator: both kinds, their limits, and the files the operator and the runtime exchange.

One source: the CRDs, the schemas in ``docs/schemas`` and the driver's ``job.json`` are all made from these models.
"""
