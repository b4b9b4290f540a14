"""One score an image out of many ratings or comparisons."""
