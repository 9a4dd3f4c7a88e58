package org.antispamshield.client.judge

import java.net.IDN

/** Links and mail addresses of a text, as `judge/known.ts` finds them. */
internal object Links {
    private const val WORD = "\\p{L}\\p{N}_"
    private val LINK = Regex(
        "(?:https?://|(?<![$WORD-])www\\.)[^\\s<>\"']++" +
            "|(?<![$WORD-])(?<![$WORD-]\\.)(?:[$WORD-]++\\.)++(?:xn--[$WORD-]++|\\p{L}{2,}+)(?::\\d{1,5}+)?/[^\\s<>\"']*+",
        RegexOption.IGNORE_CASE,
    )
    private val MAIL = Regex("(?<![$WORD.+-])[$WORD.+-]++@((?:[$WORD-]++\\.)++[$WORD-]++)")

    fun any(text: String): Boolean = LINK.containsMatchIn(text)

    /** The hosts of the links, in order. */
    fun hosts(text: String): List<String> = links(text).mapNotNull { hostOf(authorityOf(it)) }.toList()

    /** Of each link and mail address the names that its host may be known by: itself, what it lies below, and its whole path. */
    fun names(text: String): List<List<String>> = (MAIL.findAll(text).map { it.groupValues[1] } + links(text)).mapNotNull(::namesOf).toList()

    private fun links(text: String) = LINK.findAll(text.replace(MAIL, " ")).map { it.value.trimEnd(*".,;:!?)".toCharArray()) }

    private fun authorityOf(written: String) = written.substringAfter("://").takeWhile { it !in "/?#" }

    private fun hostOf(authority: String): String? = try {
        IDN.toASCII(authority.substringAfterLast('@').substringBefore(':').trimEnd('.')).lowercase()
    } catch (_: IllegalArgumentException) {
        null
    }

    private fun namesOf(written: String): List<String>? {
        val authority = authorityOf(written)
        val path = written.substringAfter("://").drop(authority.length).takeWhile { it !in "?#" }.trimEnd('/')
        val host = hostOf(authority) ?: return null
        val labels = host.split('.')
        return labels.indices.toList().dropLast(1).map { labels.drop(it).joinToString(".") } + (host + path)
    }
}
