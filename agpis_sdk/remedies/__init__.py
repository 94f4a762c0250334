"""Fixed copies of images, where an operation on the picture mends what a rule objects to."""
