"""Sound in and out, live: devices, the separation thread between them, and what becomes of the stems."""
