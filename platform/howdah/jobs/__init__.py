"""Jobs: run in the gateway whatever becomes of the howdah that submitted them, followed and accounted for."""
