"""Where the consumers of a stream stand that use Amazon's client library (KCL): its lease tables.

An application's table is read and never written. A new application's table is made whole, for its consumers to start
from. Source of every format: KCL 1.x, 2.x and 3.x up to 3.5.1, ``DynamoDBLeaseSerializer`` and its multi-stream form.
"""
