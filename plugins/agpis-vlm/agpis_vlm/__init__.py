"""Rules in plain words, judged by a vision-language model, and by local heads learned from its answers."""
