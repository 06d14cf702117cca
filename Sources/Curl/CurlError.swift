/// Why an HTTP exchange came to nothing, or a handle could not be made.
///
/// No case holds a URL, a header or a body: these carry tokens.
package enum CurlError: Error, Hashable {
    /// The request cannot be put on the wire as it stands.
    case invalidRequest(InvalidRequest)
    /// No address of the host passed `isAddressAllowed`.
    case addressRefused
    /// The answer's body is larger than the request allows.
    case answerTooLarge
    /// The answer's headers are larger than the request allows.
    case headersTooLarge
    /// The transfer failed.
    ///
    /// `wasRequestSent` says whether the whole request had left, so that it may have had its effect.
    case failed(CurlCode, wasRequestSent: Bool)
    /// The calling task was cancelled.
    case cancelled
    /// More requests are in flight than the client takes.
    case overloaded
    /// The client has been shut down.
    case shutDown
    /// libcurl refused a setting, which means that it was built without something that we need.
    case unsupported(CurlCode)
}

/// What is wrong with a request.
package enum InvalidRequest: Hashable, Sendable {
    /// It is not `http://` or `https://` with visible ASCII after it.
    case url
    /// It is not an HTTP token.
    case method
    /// A name is not a token, or is one that frames the message.
    case headerName
    /// A value holds a control character.
    case headerValue
}
