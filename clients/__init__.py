"""What other apps are built from: client libraries, one folder per language.

`clients/typescript` is the npm package `@antispam-shield/client`. What it knows of the API is
written by `clients.contract` from the application itself, when the package is built.
"""
