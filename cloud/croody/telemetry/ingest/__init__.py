"""What came in -> the ledger and the table, in one transaction. Knows neither HTTP nor MQTT."""
