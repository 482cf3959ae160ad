"""The wording of each command, whole, in one file of its own: its help, and what it says in its main situations.

`./dev golden` writes the files anew; `git diff tests/golden` then shows what a person would read differently. Only here
is wording compared. A test of a command asserts codes, fields and documents, so that a better sentence breaks no test.

`situations.py` names the functions that make the texts of a command, `book.py` lays a file out.
"""
