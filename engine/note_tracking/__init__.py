"""What is sung or blown, as the notes of a keyboard: from samples to pitch, and from pitch to note events."""
