package org.antispamshield.client

import kotlinx.serialization.Serializable

/** What the device has said of a message by itself, as the server is told. */
@Serializable
public data class DeviceOpinion(val version: String, val verdict: String, val certainty: String)

/** What somebody says of a verdict of the device, with the message: the body of `POST /device/reports`. */
@Serializable
public data class DeviceReport(val scanType: ScanType, val text: String, val actualLabel: String, val comment: String? = null, val device: DeviceOpinion)

/** What the server has made of a report: it has judged the message again, and keeps it as the scan [scanId]. */
@Serializable
public data class DeviceReported(val scanId: String, val verdict: String, val modelVersion: String, val agrees: Boolean)

/** Where the server keeps what was judged on the device and then reported: its scan there, and its verdict. */
public data class OnServer(val id: String, val verdict: String)

/** A message that the device has judged. The [id] is the app's own: no server knows it. */
public data class DeviceScan(val id: String, val type: ScanType, val text: String, val said: DeviceJudgement) {
    /** What is kept of a feedback on it; the claim is about what its reader was told. */
    internal fun feedback(scam: Boolean, comment: String): FeedbackBody {
        val told = if (said.flagged) type.scam else type.harmless
        return FeedbackBody(id, claimOf(type, told, scam), labelOf(type, scam), comment.trim().ifEmpty { null })
    }

    /** What is sent of it: what the judge on the device has said, whoever has answered. */
    internal fun report(scam: Boolean, comment: String): DeviceReport {
        val certainty = if (said.judgement.standing == Standing.UNSURE) "unsure" else "sure"
        val opinion = DeviceOpinion(said.version, said.judgement.label, certainty)
        return DeviceReport(type, text, labelOf(type, scam), comment.trim().ifEmpty { null }, opinion)
    }
}

/** The claim that somebody makes of a verdict by saying what the message really is. */
internal fun claimOf(type: ScanType, verdict: String, scam: Boolean): FeedbackType =
    if (scam == (verdict == type.scam)) FeedbackType.CONFIRMED else if (scam) FeedbackType.FALSE_NEGATIVE else FeedbackType.FALSE_POSITIVE

/** The label of what somebody says that a message is. */
internal fun labelOf(type: ScanType, scam: Boolean): String = if (scam) type.scam else type.harmless

/** Once the server has judged what was reported, a changed opinion is about its scan and its verdict, and not a second message. */
internal fun DeviceReport.feedbackOn(there: OnServer, kept: FeedbackBody): FeedbackBody =
    kept.copy(scanId = there.id, feedbackType = claimOf(scanType, there.verdict, actualLabel == scanType.scam))
