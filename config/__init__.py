"""YAML to frozen, validated definitions."""
