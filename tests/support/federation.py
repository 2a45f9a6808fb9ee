"""What scripts that watch a whole federation share: starting it, and finding its processes."""

import os
import subprocess


def start(programs, folder, ini, workers, *settings):
    """hanse run in `folder`, which gets its output.txt: the process, and that file, open."""
    output = open(os.path.join(folder, "output.txt"), "w")
    command = [os.path.join(programs, "hanse"), "run", ini, "-n", str(workers), *settings]
    return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=folder), output


def command_lines():
    """Every process but this one: its id and the words of its command line."""
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    yield int(name), file.read().decode(errors="replace").split("\0")
            except OSError:
                continue


def lines_of(path):
    """Complete lines of a file; none when it is not there yet."""
    try:
        with open(path) as file:
            return file.read().count("\n")
    except OSError:
        return 0
