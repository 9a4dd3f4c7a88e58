"""The demo: one true story of the loop, by people who scan, report, lie and review over HTTP."""
