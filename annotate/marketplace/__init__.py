"""A marketplace that speaks the Mechanical Turk requester API, with a worker site in the browser."""
