"""The business register as the sandbox builds it: XML files of the national register, each written in another way."""
