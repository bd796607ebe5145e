"""What the page of one robot says, in one language, part by part. Asks no database; numbers come from `web.formats`."""
