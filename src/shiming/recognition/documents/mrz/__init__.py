"""Reading machine readable zones of travel documents (ICAO Doc 9303) from photos and scans."""
