"""Reading the WIPO-alpha collection: files, records, codes, texts and labels."""
