"""What detection can do, measured: sessions of the lab, a protocol that was fixed before the test sessions were read, figures, pages."""
