package org.antispamshield.client

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable

/** What somebody says of a verdict. */
@Serializable
public enum class FeedbackType {
    @SerialName("false_positive") FALSE_POSITIVE,
    @SerialName("false_negative") FALSE_NEGATIVE,
    @SerialName("confirmed") CONFIRMED,
}

/** One sentence on why; [kind] says what it speaks of. New kinds may come. */
@Serializable
public data class Reason(val id: String, val kind: String, val sentence: String)

/** What its owner does best now. */
@Serializable
public data class Advice(val whatToDoNow: String, val whoToTell: String? = null)

/** That a scan was reported, and what became of it: `pending`, `approved` or `rejected`. */
@Serializable
public data class FeedbackMark(val id: String, val feedbackType: FeedbackType, val status: String)

/** The three answers that people are given. */
public enum class Standing { SCAM, HARMLESS, UNSURE }

/** One judged message, as the API answers. What a newer server adds is ignored. */
@Serializable
public data class Scan(
    val id: String,
    val scanType: ScanType,
    val verdict: String,
    val confidence: Double,
    val certainty: String,
    val modelVersion: String,
    val createdAt: String,
    val text: String? = null,
    val reasons: List<Reason> = emptyList(),
    val advice: Advice? = null,
    val feedback: FeedbackMark? = null,
) {
    /** Whether the verdict is the one that warns. */
    val isScam: Boolean get() = verdict == scanType.scam

    /** What to tell people: an unsure verdict is shown as such, and not as a verdict. */
    val standing: Standing get() = if (certainty == "unsure") Standing.UNSURE else if (isScam) Standing.SCAM else Standing.HARMLESS

    /** What its owner has said of it by the server's account, or null. */
    val said: Boolean? get() = feedback?.let { if (it.feedbackType == FeedbackType.CONFIRMED) isScam else !isScam }

    /** The body of a feedback for what somebody says the message really is. An empty comment is none. */
    public fun feedback(scam: Boolean, comment: String = ""): FeedbackBody = FeedbackBody(
        scanId = id,
        feedbackType = claimOf(scanType, verdict, scam),
        actualLabel = labelOf(scanType, scam),
        comment = comment.trim().ifEmpty { null },
    )
}

/** The body of `POST /feedback`. */
@Serializable
public data class FeedbackBody(val scanId: String, val feedbackType: FeedbackType, val actualLabel: String, val comment: String? = null)

/** Whether messages of a kind can be judged now. */
@Serializable
public data class Serving(val scanType: ScanType, val serves: Boolean)

/** Who one is. */
@Serializable
public data class Me(val subject: String, val auditConsent: Boolean = false)

/** One page of a list; [nextCursor] leads to the next one, null on the last. */
public data class Page<T>(val items: List<T>, val nextCursor: String?)
