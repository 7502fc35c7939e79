"""Publication of exported models on the Hugging Face Hub."""
