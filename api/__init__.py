"""The front door: phones, reviewers, pipeline steps and the operator meet here, over HTTP."""
