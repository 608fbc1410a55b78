"""What follows from where budgets stand: messages, a webhook, a flag file, gauges."""
