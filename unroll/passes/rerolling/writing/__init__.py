"""How a recurrence is written: what each step reads, stacked over time, and the loop in the place of the steps."""
