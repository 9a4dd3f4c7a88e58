"""`shieldctl push`: the key by which push services know this deployment."""

import typer

from cli.session import session_of

app = typer.Typer(help="The key of Web Push, which wakes phones for notices.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Make the key of Web Push, which wakes phones for notices."""


@app.command("key")
def key(context: typer.Context) -> None:
    """Make a key of Web Push (VAPID). A new key ends the subscriptions of all phones."""
    from api.push.keys import new_key

    private, public = new_key()
    session_of(context).terminal.answer(
        {"SHIELD_API_PUSH_KEY": private, "publicKey": public},
        f"SHIELD_API_PUSH_KEY={private}",
        f"Public key: {public}",
        "Keep the first as a secret setting of the API, with SHIELD_API_PUSH_CONTACT=mailto:... "
        "beside it.",
    )
