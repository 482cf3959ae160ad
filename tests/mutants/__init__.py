"""`./dev mutants`: change the safety modules one small step at a time, and see whether their own tests notice.

`operators.py` says which changes there are, `mutants.py` makes all of a module, `assess.py` runs the tests against one,
`__main__.py` is the command. The modules and their tests are listed in pyproject.toml, `[tool.mosaic.mutants]`.
"""
