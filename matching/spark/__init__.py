"""The engine of many machines: blocking, scoring and clustering of people on Apache Spark, with the result of one machine.

`engine` is what the pipeline calls: it prepares the columns (`prepared`), starts Spark's driver as a process of its own
(`driver`) and reads what that found. The steps on Spark are `pairs`, `scoring`, `components` and `clustering`.
"""
