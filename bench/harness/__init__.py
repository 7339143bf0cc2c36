"""What the run scripts of bench/ share: building, servers under test, the terminal, the report. Standard library only."""
