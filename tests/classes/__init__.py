"""A class: a teacher and her students, from the hush to the last question; three of them at real terminals.

    python -m tests.classes               30 people, 3 of them `python -m client` on 80x24
    python -m tests.classes --people 10   a smaller one

judge.py   what must hold of the events of a lesson; no process, file or clock
people.py  the people: by the API, and at a terminal
lesson.py  the lesson, step by step
"""
