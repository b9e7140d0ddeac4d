"""S3 with Object Lock, on a real gateway: Ceph's, thrown away after the tests."""
