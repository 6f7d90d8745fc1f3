"""What stages do, one file per noun; `table` is where the engine looks them up."""
