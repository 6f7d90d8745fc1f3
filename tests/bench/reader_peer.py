"""The bench's reader as a process of its own, `python -m tests.bench.reader_peer`."""

from tests.bench.lean import begin

if __name__ == "__main__":
    begin()
    from tests.bench.export_reader import main

    main()
