"""Slow tests that build an image or boot a machine: not part of `make test`.

`make image-test` and `make systemd-test` name the files; pytest does not find them by itself.
"""
