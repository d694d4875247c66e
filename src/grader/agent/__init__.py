"""The program in the sandbox through which the judge reaches the learner's code.

It runs inside containers of any language: standard library only, Python >= 3.9, and it imports
nothing of grader outside this folder. Nothing here is trusted by the judge: whatever leaves the
sandbox is data.
"""
