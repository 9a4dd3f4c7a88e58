package org.antispamshield.client.judge

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import org.antispamshield.client.Advice
import org.antispamshield.client.Reason
import org.antispamshield.client.ScanType

/** Why a message was judged so, and what to do now. */
public data class Why(val reasons: List<Reason>, val advice: Advice)

/** Whose language (e.g. `de`; English where it is none of ten) and country (ISO 3166; empty: unknown). */
public data class ReasonReader(val language: String, val country: String = "")

/** `api/pages/assets/src/reasons.json`, as api/pages/reasons.py writes it. */
@Serializable
internal class ReasonTables(
    /** Sign -> language -> phrases: words in order, `+` before a word with up to three others before it, `*` behind one that may go on. */
    val signs: Map<String, Map<String, List<String>>>,
    /** Language -> words that take a phrase back: "never send money". */
    val takesBack: Map<String, List<String>>,
    val neverTakenBack: Set<String>,
    val wanted: Set<String>,
    val pressure: Set<String>,
    /** What a harmless message does not do. */
    val alarming: Set<String>,
    /** A pattern of what may be an address to somebody; letters of any case. */
    val maybeLink: String,
    /** Id -> language -> sentence. */
    val sentences: Map<String, Map<String, String>>,
    /** Country -> who takes reports. */
    val places: Map<String, Place>,
) {
    @Serializable
    internal class Place(val sms: String? = null, @SerialName("else") val otherwise: String? = null)

    internal companion object {
        /** The tables that are in the jar. */
        val OURS: ReasonTables by lazy {
            val found = checkNotNull(ReasonTables::class.java.getResourceAsStream("/org/antispamshield/client/reasons.json")) { "The jar has no reasons.json." }
            Json.decodeFromString(serializer(), found.use { it.readBytes() }.decodeToString())
        }
    }
}

/**
 * Explains as `judge/reasons.ts` does: by the tables and rules of shield/reasons, without a network. What compares a message with the book's tactics, or
 * a link with a name's own addresses, is the server's alone.
 */
internal class Reasons(private val characters: Characters, private val tables: ReasonTables = ReasonTables.OURS) {
    private val signWords = SignWords(characters)
    private val maybeLink = Regex(tables.maybeLink, RegexOption.IGNORE_CASE)

    /** Why a message was judged so. [flagged]: a scam was said; [sure]: with certainty. */
    fun explain(text: String, type: ScanType, flagged: Boolean, sure: Boolean, reader: ReasonReader): Why {
        fun one(id: String, kind: String, parts: Map<String, String> = emptyMap()) = Reason(id, kind, say(reader, id, parts))
        if (!hasWords(points(text), characters)) return Why(listOf(one("no-words", "whole")), advice(type, flagged = false, sure = false, reader))
        val signs = signsOf(text).toMutableSet()
        val broken = BROKEN.containsMatchIn(text)
        val found = if (flagged || !sure) {
            if (!PHONE.containsMatchIn(text.take(LONGEST))) signs.remove("call-them")
            val ordered = tables.signs.keys.filter { it in signs }
            ordered.filter { it in tables.wanted }.map { one(it, "request") } +
                Links.hosts(text).filter(NUMBERS::matches).take(1).map { one("link-numbers", "link", mapOf("host" to it)) } +
                (if (broken) listOf(one("link-broken", "link")) else emptyList()) +
                (if (isDisguised(text)) listOf(one("disguised", "disguise")) else emptyList()) +
                ordered.filter { it in tables.pressure }.map { one(it, "pressure") }
        } else {
            // Of a text that is not read to its end nothing calming is said: it may come there.
            val whole = points(text).size <= LONGEST
            val link = broken || Links.any(text) || maybeLink.containsMatchIn(text)
            listOf(one("reads-harmless", "whole")) +
                (if (whole && tables.alarming.none { it in signs }) listOf(one("asks-nothing", "calm")) else emptyList()) +
                (if (whole && !link) listOf(one("no-link", "calm")) else emptyList())
        }
        val told = if (flagged && sure) found.ifEmpty { listOf(one("reads-like-scams", "whole")) } else if (sure) found else listOf(one("close-call", "whole")) + found
        return Why(told.take(MOST), advice(type, flagged, sure, reader))
    }

    /** The ids of what a text asks for and presses with, in any language. */
    private fun signsOf(text: String): Set<String> {
        val words = signWords.of(text)
        return tables.signs.filter { (sign, languages) ->
            languages.any { (language, phrases) ->
                val back = if (sign in tables.neverTakenBack) emptySet() else tables.takesBack[language].orEmpty().toSet()
                phrases.any { Phrase.of(it).stands(words, back) }
            }
        }.keys
    }

    /** Words for the eye alone: the normaliser marks each word that it has undone. */
    private fun isDisguised(text: String): Boolean {
        val read = points(text).let { it.copyOf(minOf(it.size, LONGEST)) }
        return signWords.folded(read).count { it == MARK } > read.count { it == MARK }
    }

    private fun advice(type: ScanType, flagged: Boolean, sure: Boolean, reader: ReasonReader): Advice {
        if (!flagged) return Advice(say(reader, if (sure) "now-harmless" else "now-unsure"))
        val report = placeOf(type, reader)?.let { say(reader, "tell-place", mapOf("place" to it)) }.orEmpty()
        val now = if (!sure) "now-unsure" else if (type == ScanType.VOICE) "now-call" else "now-scam"
        return Advice(say(reader, now), "${say(reader, "tell")} $report".trim())
    }

    private fun placeOf(type: ScanType, reader: ReasonReader): String? {
        val place = tables.places[reader.country] ?: return null
        val told = listOfNotNull(place.sms.takeIf { type == ScanType.TEXT }, place.otherwise)
        return told.joinToString(", ") { if (reader.language in RIGHT_TO_LEFT) isolated(it) else it }
    }

    private fun say(reader: ReasonReader, id: String, parts: Map<String, String> = emptyMap()): String {
        val written = tables.sentences.getValue(id)
        val own = written[reader.language]
        val turned = own != null && reader.language in RIGHT_TO_LEFT
        return PART.replace(own ?: written.getValue("en")) { found ->
            val part = parts[found.groupValues[1]].orEmpty()
            if (turned) isolated(part) else part
        }
    }

    /** A part between marks for a run whose direction follows from itself. */
    private fun isolated(part: String) = "\u2068$part\u2069"

    private companion object {
        const val LONGEST = 5000
        const val MOST = 6
        const val MARK = 0x2021
        const val WORD = "\\p{L}\\p{N}_"
        val RIGHT_TO_LEFT = setOf("ar", "fa", "he", "ur")
        val PART = Regex("\\{(\\w+)\\}")
        val NUMBERS = Regex("\\d{1,3}(?:\\.\\d{1,3}){3}")
        val PHONE = Regex("(?<![$WORD/.-])\\+?\\p{Nd}(?:[ ().-]{0,2}\\p{Nd}){6,14}(?![$WORD/-])")
        // Not \b: what is part of a word for it differs between Java's releases.
        const val START = "(?<![A-Za-z0-9_])"
        const val END = "(?![A-Za-z0-9_])"
        val BROKEN = Regex(
            "${START}h(?:xx|\\*\\*)ps?$END|${START}https?(?: ?\\[:]| :? ?//|: //)|[$WORD] ?(?:\\[\\.]|\\[dot]|\\(dot\\)|\\(\\.\\)) ?[$WORD]" +
                "|[$WORD] dot (?:com|net|org|info|top|xyz)$END",
            RegexOption.IGNORE_CASE,
        )
    }
}
