"""Bridges to other frameworks: one file or folder each, the only importers of what they bridge to."""
