"""audit-shipper: follows Kubernetes audit logs, seals every batch, archives it, proves it whole."""

__version__ = "0.1.0"
