"""From text to the model and back: YAML with positions, templates, inheritance, checks, export."""
