"""The judge: runs the hidden tests, beside the services and apart from the learner's code.

It runs in its own container. Of grader it imports only `grader.agent.wire`.
"""
