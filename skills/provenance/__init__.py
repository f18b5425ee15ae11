"""Provenance: what every clip carries (watermark, content credentials) and who made what (the ledger)."""
