"""What a command says by its exit status; docs/command_line.md has the table."""

#: It was done; of `verify`, `equivalent` and `gate-order`: they agree.
DONE = 0
#: What was compared does not agree; of `equivalent`, too, where nothing could show that it does.
DISAGREES = 1
#: The command was misused, or something could not be read, compared, done or written.
MISUSED = 2
#: Ctrl-C, as shells have it: 128 and the number of the signal.
INTERRUPTED = 130
