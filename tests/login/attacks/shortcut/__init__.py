"""The attacks and cases of the issue on `Login`, in each framework."""
