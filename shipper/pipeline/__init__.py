"""The only place that knows the order of the stages: collect, record, ship."""
