"""The strip of transport and band."""
