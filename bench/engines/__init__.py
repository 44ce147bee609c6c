"""Other inference engines beside this one: what bench/compare_engines.py is put together from.

    environments  virtual environments of Python packages, one an engine, and why one is missing
    networks      what is compared with what, and which ratios are asked for
    prepare       makes the network files: conversions and quantization, each in the environment that can (make_*.py)
    worker        a process that holds one engine with one network (beside it, <name>_engine.py an engine)
    process       the handle of such a process in the comparing program
    figures       samples -> medians, quartiles, ratios, agreement, table and JSON

To add an engine: <name>_engine.py with a class Engine like the others', its packages in environments.py, a competitor
in networks.py, and a recipe in prepare.py if it needs files of its own.

Only the workers and the makers import other people's packages. The rest is Python's standard library, so that the
comparison runs, and says what is missing, on a machine that has none of them.
"""
