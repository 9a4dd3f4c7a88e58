"""`/users`: read, change and erase the caller's account; invite others."""

from fastapi import APIRouter

from api.kit.context import AdminWrite, AnyRead, AnyWrite, ReviewerWrite
from api.privacy import erasure
from api.users import pairing, service
from shield.wire import Envelope, ErasureRead, InvitationRequest, MeRead, MeUpdate, PairingRead

router = APIRouter(prefix="/users", tags=["users"])


@router.get("/me")
def me(ctx: AnyRead) -> Envelope[MeRead]:
    """Return the caller's account data."""
    return Envelope[MeRead](data=service.me(ctx))


@router.put("/me")
def update_me(body: MeUpdate, ctx: AnyWrite) -> Envelope[MeRead]:
    """Give or withdraw consent to the audit sample."""
    return Envelope[MeRead](message="Saved.", data=service.set_consent(ctx, body.audit_consent))


@router.post("/me/pairing")
def pairing_code(ctx: ReviewerWrite) -> Envelope[PairingRead]:
    """Return a code that connects one phone to the caller's account, once, within five minutes."""
    return Envelope[PairingRead](data=pairing.issue(ctx))


@router.post("/invitations", status_code=201)
def invite(body: InvitationRequest, ctx: AdminWrite) -> Envelope[PairingRead]:
    """Return a code that connects one phone to a new account, once, within days."""
    return Envelope[PairingRead](data=pairing.invite(ctx, body))


@router.delete("/me")
def erase_me(ctx: AnyWrite) -> Envelope[ErasureRead]:
    """Erase the caller: messages, feedback and account."""
    return Envelope[ErasureRead](message="Erased.", data=erasure.erase(ctx, ctx.user))
