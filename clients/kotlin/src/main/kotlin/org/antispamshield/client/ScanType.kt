// Generated from shield/labels.py by `make types`; do not edit.
package org.antispamshield.client

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable

/** What is scanned, and the two labels of its verdicts. */
@Serializable
public enum class ScanType(public val harmless: String, public val scam: String) {
    /** SMS and chat. */
    @SerialName("text") TEXT("ham", "spam"),

    /** Mails and web addresses. */
    @SerialName("phishing") PHISHING("safe", "phishing"),

    /** Transcripts of calls. */
    @SerialName("voice") VOICE("ham", "spam"),
}
