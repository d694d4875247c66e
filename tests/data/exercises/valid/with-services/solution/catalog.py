SPEED = "fast"
