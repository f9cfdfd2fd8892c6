"""Prints the path of the interpreter that runs this file when the server can embed it.
With --build, prints a line each of what the build needs: path, version, header directory, library
directory, library name, the suffix of extension modules, and where packages are below a prefix.

Otherwise says what is missing and what to do, and exits with 1. Runs on any Python 3, so that an
interpreter which is too old can say so.
"""

import os
import sys
import sysconfig

ADVICE = """\
Any of these helps:
  * another interpreter for the build:    MACHIDA_PYTHON=/usr/bin/python3 scripts/build
  * a pyenv one with a shared library:    PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install 3.11
  * Debian's, after: apt-get install python3-dev   (first on PATH, or in MACHIDA_PYTHON)
"""


def shared_library():
    """Returns the path of libpython as a shared library, or None."""
    variable = sysconfig.get_config_var
    if not variable("Py_ENABLE_SHARED"):
        return None
    folder = variable("LIBDIR") or ""
    for candidate in (os.path.join(folder, variable("MULTIARCH") or ""), folder):
        for name in (variable("LDLIBRARY"), variable("INSTSONAME")):
            path = os.path.join(candidate, name or "")
            if name and os.path.isfile(path):
                return path
    return None


def problem():
    """Returns what keeps this interpreter from being embedded, or None."""
    if sys.version_info < (3, 11):
        return "it is Python %d.%d, and the server needs 3.11 or newer" % sys.version_info[:2]
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "it is free-threaded, and the server's code relies on the interpreter lock"
    if not shared_library():
        return "it has no shared libpython to link with"
    header = os.path.join(sysconfig.get_config_var("INCLUDEPY") or "", "Python.h")
    if not os.path.isfile(header):
        return "its header %s is not installed" % header
    return None


if __name__ == "__main__":
    wrong = problem()
    if wrong:
        sys.exit("error: %s cannot be embedded: %s.\n%s" % (sys.executable, wrong, ADVICE))
    print(sys.executable)
    if sys.argv[1:] == ["--build"]:
        library = shared_library()
        print("%d.%d" % sys.version_info[:2])
        print(sysconfig.get_config_var("INCLUDEPY"))
        print(os.path.dirname(library))
        print(os.path.basename(library).split(".so")[0][len("lib") :])
        print(sysconfig.get_config_var("EXT_SUFFIX"))
        print("lib/python%d.%d/site-packages" % sys.version_info[:2])
