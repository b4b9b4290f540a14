"""What requesters ask: the API's operations, signatures and tokens."""
