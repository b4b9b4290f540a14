"""Files from the web: politely, safely, once."""
