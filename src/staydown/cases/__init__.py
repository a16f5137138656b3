"""What a depicted person keeps with us: registrations and their withdrawal."""
