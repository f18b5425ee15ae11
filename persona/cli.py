"""`troubadour`: one contract for people, scripts and benches.

`--json` prints one JSON object on standard output; progress and logs go to standard error; an error is one clear
sentence and a non-zero exit status.
"""

from __future__ import annotations

import os
import sys

import structlog
import typer

from persona.commands import (
    bench,
    calendar,
    card,
    chat,
    doctor,
    library,
    memory,
    operate,
    queue,
    run,
    sing,
    song,
    verify,
    voices,
)
from persona.errors import sentence_for

app = typer.Typer(
    name="troubadour",
    help="An AI singer that one can run oneself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
chat.add_to(app)
song.add_to(app)
sing.add_to(app)
library.add_to(app)
voices.add_to(app)
memory.add_to(app)
verify.add_to(app)
card.add_to(app)
calendar.add_to(app)
queue.add_to(app)
bench.add_to(app)
doctor.add_to(app)
run.add_to(app)
operate.add_to(app)


def main() -> None:
    """The console script: the one place where an error becomes a sentence for the person at the keyboard."""
    try:
        status = app(standalone_mode=False)  # of a command that ended with one of its own
    except typer.Abort:
        sys.exit(130)
    except typer.Exit as done:
        sys.exit(done.exit_code)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing to say, and nowhere to say it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        sentence = sentence_for(error)
        if sentence is None:
            structlog.get_logger().error("unexpected error", exc_info=error)
            sentence = (
                f"something broke that should not have ({type(error).__name__}); the log above says where"
            )
        print(f"troubadour: {sentence}", file=sys.stderr)
        sys.exit(2 if "Usage" in type(error).__name__ else 1)
    if isinstance(status, int) and status:
        sys.exit(status)


if __name__ == "__main__":
    main()
