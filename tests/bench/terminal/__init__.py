"""The terminal client beside others: bytes, writes, CPU time, echo, memory."""
