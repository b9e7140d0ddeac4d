"""`python -m shipper` is `audit-shipper`."""

from shipper.cli.main import main

if __name__ == "__main__":
    main()
