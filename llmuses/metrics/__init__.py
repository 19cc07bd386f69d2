"""How an answer is read and compared: pure functions, each with a table of cases as its test."""
