"""What a run says, derived once: figures, reasons, claims, recommendations."""
