"""What the run scripts of bench/ share: building, servers, the terminal, the report.

Standard library only.
"""
