"""What other apps are built from: client libraries, one folder per language.

`clients/typescript` is the npm package `@antispam-shield/client`, built by `clients.build`. What it
knows of the API is written by `clients.contract` from the application itself, when it is built.
`clients/kotlin` is the library for Android and the JVM, compiled by `clients.jvm`.
"""
