package org.antispamshield.client

import kotlinx.serialization.json.JsonObject

/** Base of everything that this library throws. The message is a sentence that can be shown as it is. */
public open class ShieldException(message: String, cause: Throwable? = null) : Exception(message, cause)

/** No answer of the API: offline, the server is away, or something else answered in its place. */
public class Unreachable(message: String, cause: Throwable? = null) : ShieldException(message, cause)

/** The answer was a problem document (RFC 9457). */
public open class Problem(
    message: String,
    /** HTTP status. */
    public val status: Int,
    /** The last part of `type`, e.g. `contradictory-feedback`; empty where the answer was no problem document. */
    public val slug: String = "",
    /** Seconds to wait before the next try, where the answer says so. */
    public val retryAfterSeconds: Long? = null,
    /** The whole document: members beyond the standard's are here. */
    public val document: JsonObject = JsonObject(emptyMap()),
) : ShieldException(message)

/** 401: no token, or one that does not hold. */
public class Unauthenticated(message: String, slug: String, document: JsonObject) : Problem(message, 401, slug, null, document)

/** 404: there is no such thing, or the caller may not know of it. */
public class NotFound(message: String, slug: String, document: JsonObject) : Problem(message, 404, slug, null, document)

/** 409: the state has moved on. */
public class Conflict(message: String, slug: String, document: JsonObject) : Problem(message, 409, slug, null, document)

/** 422: well-formed, but it makes no sense; [slug] says which sense. */
public class Invalid(message: String, slug: String, document: JsonObject) : Problem(message, 422, slug, null, document)

/** 429: too many requests. */
public class RateLimited(message: String, slug: String, retryAfterSeconds: Long?, document: JsonObject) :
    Problem(message, 429, slug, retryAfterSeconds, document)

/** 5xx: try again later; never to be read as "nothing there". */
public class Unavailable(message: String, status: Int, slug: String, retryAfterSeconds: Long?, document: JsonObject) :
    Problem(message, status, slug, retryAfterSeconds, document)
