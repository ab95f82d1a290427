"""The driver: reads points from Kafka, calculates with a template on Spark, writes results."""
