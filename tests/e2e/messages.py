"""Frauds as they go round, each of a kind of its own: so many campaigns as there are messages."""

_MESSAGES = [
    "Your parcel is held at the depot: pay the 1.99 fee at post-fees.test today",
    "Mum, my phone broke, this is my new number. Can you pay a bill for me on pay-now.test?",
    "Bank alert: a new device signed in. If this was not you, confirm at secure-login.test",
    "You are owed a tax refund of 482.11. Claim it before Friday: refunds.test",
    "Work from home, 300 a day, no experience. Write to Anna on the messenger +000 555",
    "Your toll of 6.40 is unpaid. Avoid a fine of 80: toll-desk.test",
    "We could not renew your film subscription. Update your card on stream-bill.test",
    "Last day! Double your coins with our trading robot, guaranteed: coin-robot.test",
    "Police notice: your identity was used in a crime. Call officer Brown at 000 777 at once",
    "Congratulations, shopper of the month! A voucher of 500 waits on gift-desk.test",
    "Your electricity is cut off tonight unless you settle the bill via power-pay.test",
    "Loan approved: 10000 without papers. Reply YES with your account number",
    "Your SIM will be blocked in 24 hours. Complete the check: sim-check.test",
    "I saw your flat, I take it. I send a cheque over the rent, please return the rest to my agent",
    "Court summons number 4471: see the charge against you at summons-view.test",
    "Your pension can be released early, free review this week only: pension-early.test",
    "Account limited. Three photos of your card, both sides, to support@limits.test restore it",
    "Hot shares tip from the inside: buy BXQZ before noon, join the group at tips-room.test",
    "Your dog was found injured, the clinic needs a deposit first: vet-deposit.test",
    "Prize draw winner 7718: ring 000 900 900 from a landline, claim code Q4",
    "Your cloud storage is full, photos are deleted tomorrow. Upgrade: cloud-room.test",
    "Charity for the flood: every coin counts, send to wallet 9xF on flood-aid.test",
    "Your visa was refused for a missing fee, appeal in one hour at visa-appeal.test",
    "Meet lonely hearts near you tonight, age check by card at hearts-near.test",
]


def scams(count: int) -> list[str]:
    """Return `count` different messages."""
    return _MESSAGES[:count]
