"""From a file or folder, whatever its format, to records: column → cell, one at a time."""
