"""What ends or misleads a runtime, found in the model before the runtime is called."""
