"""`/api/v1/` of the web role: one router a subject. Knows HTTP and who asks; what is true, and what is done, is the rooms' below."""
