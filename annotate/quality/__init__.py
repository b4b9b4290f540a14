"""Control questions, screening of answers, and who is offered no more HITs."""
