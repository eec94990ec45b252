"""Breadth-first search over all states of a model, so that the first fault found has a shortest trace."""

from collections import deque


class Broken(Exception):
    """A rule does not hold. `rule` is its name, `label` the step that broke it."""

    def __init__(self, rule, text, label=""):
        super().__init__(text)
        self.rule = rule
        self.text = text
        self.label = label


def trace(parents, state, last):
    steps = [last] if last else []
    while parents[state] is not None:
        state, label = parents[state]
        steps.append(label)
    return steps[::-1]


def explore(model, limit=2000000):
    """
    Walks every interleaving. model.initial() is a state, model.steps(state) lists (label, state) and raises Broken,
    model.final(state) raises Broken for a state without a step that should not be the last one. Returns the
    number of states, and the fault as (rule, text, trace) or None.
    """
    first = model.initial()
    parents = {first: None}
    queue = deque([first])
    while queue:
        state = queue.popleft()
        try:
            steps = model.steps(state)
            if not steps:
                model.final(state)
        except Broken as fault:
            return len(parents), (fault.rule, fault.text, trace(parents, state, fault.label))
        for label, after in steps:
            if after not in parents:
                parents[after] = (state, label)
                queue.append(after)
        if len(parents) > limit:
            return len(parents), ("size", "more than %d states" % limit, [])
    return len(parents), None
