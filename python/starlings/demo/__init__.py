"""The main job as one program: scored pairs and a truth in; best cuts, curve, chart and entities out.

``python -m starlings.demo`` scores the FEBRL 3 records with a Splink model and runs the job on the result;
``--edges`` and ``--truth`` run it on files of one's own. The modules, in the order in which the job uses them:

``febrl``
    the FEBRL 3 records, scored and written out as input files
``inputs``
    edge, truth and record files read into Arrow tables and checked
``job``
    frame, hierarchy, every metric at every threshold, best cuts, entities
``chart``
    the curve thinned and drawn
``outputs``
    the result files and the printed summary
``steps``, ``errors``
    progress and timings; what goes wrong for the user's reasons

Nothing here works record by record in Python. The heavy libraries come with the extras ``starlings[demo]`` and
``starlings[plot]``; only ``__main__`` imports the modules that need them, and turns a missing library into the name of
its extra.
"""
