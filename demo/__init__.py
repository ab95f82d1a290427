"""The smart-meter demo: measured consumption goes through a StreamJob on a real cluster and comes back as extremes."""
