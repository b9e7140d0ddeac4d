"""How the daemon is doing, for those who ask: probes, metrics, a status page, `status`."""
